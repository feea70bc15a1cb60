import { z } from 'zod'
import { name, namespace, toolName } from './names.ts'
import type { Operation } from './operation.ts'
import { policyCase } from './policy-case.ts'
import { policyFiles as files } from './policy-files.ts'
import { policySetHash as policySet } from './policy-set-hash.ts'

/** Why something is done, in the words of whoever does it. */
const comment = z.string().max(500).default('')

/** Operations on policies: looking at them, trying them, and their versions. */
export const policyOperations = {
  'policy.check': {
    name: 'policy.check',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/check',
    effect: 'manage',
    input: z.strictObject({ ...namespace, files: files.nullable().default(null) }),
    summary: 'Checks policy files against the catalogue without putting them in force; without files, those in force.',
  },
  'policy.test': {
    name: 'policy.test',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/test',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      files: files.nullable().default(null),
      cases: z.array(policyCase).min(1).max(10_000),
    }),
    summary:
      'Decides calls that could be made, under policy files or those in force, and compares with what is expected.',
  },
  'policy.history': {
    name: 'policy.history',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/policies/history',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists which policies were put in force, when, by whom and why, newest first.',
  },
  'policy.show': {
    name: 'policy.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/policies',
    effect: 'manage',
    input: z.strictObject({ ...namespace, policySet: policySet.nullable().default(null) }),
    summary: 'Shows the files of a policy set: those in force, or those of any set that ever was.',
  },
  'policy.activate': {
    name: 'policy.activate',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/activate',
    effect: 'manage',
    input: z.strictObject({ ...namespace, policySet, base: policySet.nullable().default(null), comment }),
    summary: 'Puts a policy set in force again that was before, if it still fits the tools.',
  },
  'policy.explain': {
    name: 'policy.explain',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/policies/explain',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      agent: name.nullable().default(null),
      tool: toolName.nullable().default(null),
      arguments: z.record(z.string(), z.json()).nullable().default(null),
    }),
    summary: 'Tells what an agent may call, who may call a tool, or how one call would be decided and why.',
  },
} satisfies Record<string, Operation>
