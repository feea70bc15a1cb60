import { z } from 'zod'
import type { Operation } from './operation.ts'

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'names are 2-40 of a-z, 0-9 and hyphen, a letter first')

/** Operations that hand the decision log to somebody who does not trust this server. */
export const auditOperations = {
  'audit.events': {
    name: 'audit.events',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/events',
    effect: 'audit',
    input: z.strictObject({
      namespace: name,
      format: z.enum(['record', 'ocsf', 'cloudevents']).default('record'),
      after: z.coerce.number().int().min(-1).default(-1),
      limit: z.coerce.number().int().min(1).max(1000).default(500),
      waitSeconds: z.coerce.number().int().min(0).max(30).default(0),
    }),
    summary:
      'The log as events for other systems, after a position in it: records, OCSF (API Activity, one event a call) or CloudEvents. Reads of the log are left out.',
  },
  'audit.prove': {
    name: 'audit.prove',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/calls/{call}/proof',
    effect: 'audit',
    input: z.strictObject({ namespace: name, call: z.uuid() }),
    summary:
      'The records of one call, each with an inclusion proof and the signed checkpoint. Waits for the checkpoint where one is due.',
  },
} satisfies Record<string, Operation>
