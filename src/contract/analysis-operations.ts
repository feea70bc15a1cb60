import { z } from 'zod'
import { name, toolName } from './names.ts'
import type { Operation } from './operation.ts'
import { policyFiles } from './policy-files.ts'

/** Operations that look through policies. */
export const analysisOperations = {
  'policy.analyze': {
    name: 'policy.analyze',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/analyze',
    effect: 'manage',
    input: z.strictObject({ namespace: name, files: policyFiles.nullable().default(null) }),
    summary:
      'Looks through policy files, or those in force, for rules that can never apply, permits that are always forbidden, rules that can fail, tools of nobody and agents of everything.',
  },
  'policy.can': {
    name: 'policy.can',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/can',
    effect: 'manage',
    input: z.strictObject({
      namespace: name,
      agent: name,
      tool: toolName,
      files: policyFiles.nullable().default(null),
    }),
    summary:
      'Tells whether an agent can ever call a tool under policy files or those in force: with a call that is allowed, or with the proof that there is none.',
  },
} satisfies Record<string, Operation>
