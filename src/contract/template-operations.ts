import { z } from 'zod'
import { name } from './names.ts'
import type { Operation } from './operation.ts'
import { policyFiles } from './policy-files.ts'

/** Operations on templates of policies. */
export const templateOperations = {
  'policy.template': {
    name: 'policy.template',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/template',
    effect: 'manage',
    input: z.strictObject({
      namespace: name,
      template: name,
      id: name.nullable().default(null),
      values: z.record(z.string().max(40), z.string().max(2000)).default({}),
      files: policyFiles.default([]),
    }),
    summary:
      'Fills a template and answers the rules and the cases that show what they do, checked against the tools and together with the policy files given. Puts nothing in force.',
  },
} satisfies Record<string, Operation>
