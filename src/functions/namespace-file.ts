import { z } from 'zod'
import { isName } from '../kernel/index.ts'

const nameSentence = 'names are 2-40 of a-z, 0-9 and hyphen, with a letter first and no hyphen last'

/** A namespace, service, agent or group. */
const nameSchema = z.string().refine(isName, { error: nameSentence })

/** `namespace.yaml`: what the directory is about and who acts in it. */
export const namespaceFileSchema = z.strictObject({
  namespace: nameSchema,
  description: z.string().max(1000).optional(),
  agents: z
    .array(
      z.strictObject({
        name: nameSchema,
        groups: z.array(nameSchema).max(50).default([]),
        /** The user who answers for the agent. Left as it is where the file says nothing, and so are the next two. */
        owner: nameSchema.optional(),
        /** Whether only credentials bound to a key of the agent are taken. */
        senderConstrained: z.boolean().optional(),
        /** Revoking is not here, because it cannot be undone. */
        status: z.enum(['active', 'disabled']).optional(),
        description: z.string().max(1000).optional(),
      }),
    )
    .max(1000)
    .default([]),
})

/** The parsed form of `namespace.yaml`. */
export type NamespaceFile = z.infer<typeof namespaceFileSchema>
