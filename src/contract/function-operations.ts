import { z } from 'zod'
import { name, namespace, toolName } from './names.ts'
import type { Operation } from './operation.ts'
import { policyFiles as files } from './policy-files.ts'
import { policySetHash as policySet } from './policy-set-hash.ts'

/** Why something is done, in the words of whoever does it. */
const comment = z.string().max(500).default('')

/** Operations on hosted functions, and on all that a directory says of a namespace. */
export const functionOperations = {
  'state.apply': {
    name: 'state.apply',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/apply',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      files,
      dryRun: z.boolean().default(false),
      comment,
      base: policySet.nullable().default(null),
    }),
    summary: 'Makes the namespace be what a directory of files says; with dryRun, only tells what would change.',
  },
  'function.list': {
    name: 'function.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/functions',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists the functions of a namespace with their active versions.',
  },
  'function.show': {
    name: 'function.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/functions/{tool}',
    effect: 'manage',
    input: z.strictObject({ ...namespace, tool: toolName }),
    summary: 'Shows a function: schemas, limits, files, versions.',
  },
  'function.add': {
    name: 'function.add',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/services/{service}/functions',
    effect: 'manage',
    input: z.strictObject({ ...namespace, service: name, files }),
    summary: 'Adds functions to a service, or new versions of them, from their files.',
  },
} satisfies Record<string, Operation>
