import { z } from 'zod'
import type { Operation } from './operation.ts'
import { policyFiles } from './policy-files.ts'

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'names are 2-40 of a-z, 0-9 and hyphen, a letter first')

/** Operations on the facts that policies read. */
export const factOperations = {
  'policy.facts': {
    name: 'policy.facts',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/facts',
    effect: 'manage',
    input: z.strictObject({
      namespace: name,
      tool: z.string().min(1).max(128),
      arguments: z.record(z.string(), z.json()).default({}),
      files: policyFiles.nullable().default(null),
    }),
    summary:
      'Derives the facts of a call from its arguments, as the policy files given bind them, or those in force. Decides nothing.',
  },
} satisfies Record<string, Operation>
