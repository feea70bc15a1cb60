import { z } from 'zod'
import { name, namespace } from './names.ts'
import type { Operation } from './operation.ts'

const value = z.string().min(1).max(600)
const moment = z.iso.datetime({ offset: true })

/** Finding things in the decision log. */
export const searchOperations = {
  'audit.search': {
    name: 'audit.search',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/search',
    effect: 'audit',
    input: z.strictObject({
      ...namespace,
      agent: name.optional(),
      principal: value.optional(),
      tool: value.optional(),
      service: value.optional(),
      rule: value.optional(),
      effect: z.enum(['allow', 'deny']).optional(),
      basis: z.string().max(40).optional(),
      status: z.string().max(40).optional(),
      label: value.optional(),
      door: z.string().max(40).optional(),
      kind: z.string().max(40).optional(),
      run: z.string().min(1).max(100).optional(),
      parent: z.string().min(1).max(100).optional(),
      call: z.string().min(1).max(100).optional(),
      text: z.string().max(500).default(''),
      since: moment.optional(),
      until: moment.optional(),
      reads: z.stringbool().or(z.boolean()).default(false),
      before: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    summary:
      'Finds calls and other records by any combination of what they say in the clear, newest first: who, what, which rule, how it ended, when, and words. Reads of the log are left out unless asked for.',
  },
  'audit.tree': {
    name: 'audit.tree',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/runs/{run}',
    effect: 'audit',
    input: z.strictObject({ ...namespace, run: z.string().min(1).max(100) }),
    summary: 'The calls of a run, each under the one that made it; or those above and below one call, by its id.',
  },
} satisfies Record<string, Operation>
