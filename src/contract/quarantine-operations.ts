import { z } from 'zod'
import { namespace } from './names.ts'
import type { Operation } from './operation.ts'

/** Outputs that were kept back because something that must have held of their call did not. */
export const quarantineOperations = {
  'audit.quarantine': {
    name: 'audit.quarantine',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/quarantine',
    effect: 'audit',
    input: z.strictObject({
      ...namespace,
      limit: z.coerce.number().int().min(1).max(500).default(100),
      before: z.coerce.number().int().min(0).optional(),
    }),
    summary:
      'Lists calls whose output is in quarantine, the newest first, with what did not hold. `next` is where the next page begins (before). No outputs.',
  },
  'quarantine.release': {
    name: 'quarantine.release',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/quarantine/{call}/release',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      call: z.string().regex(/^[0-9a-f-]{36}$/, 'a call id is a UUID'),
      comment: z.string().min(1).max(500),
    }),
    summary:
      'Gives a person the output of a call in quarantine, once that is on record. The caller never gets it, and nobody gets that of their own call.',
  },
} satisfies Record<string, Operation>
