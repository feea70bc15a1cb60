import { z } from 'zod'
import type { Operation } from './operation.ts'
import { policyFiles } from './policy-files.ts'

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'names are 2-40 of a-z, 0-9 and hyphen, a letter first')
const toolName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,128}$/, 'tool names are 1-128 letters, digits, hyphens and underscores')

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
