import { z } from 'zod'
import { name } from './names.ts'
import type { Operation } from './operation.ts'
import { policyFiles } from './policy-files.ts'

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
