import { z } from 'zod'
import { namespace } from './names.ts'
import type { Operation } from './operation.ts'

const callId = z.string().regex(/^[0-9a-f-]{36}$/, 'a call id is a UUID')

/** Operations on the decision log: reading it, and handing it to somebody who does not trust this server. */
export const auditOperations = {
  'audit.tail': {
    name: 'audit.tail',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/records',
    effect: 'audit',
    input: z.strictObject({
      ...namespace,
      after: z.coerce.number().int().min(-1).optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(50),
      kind: z.string().max(40).optional(),
      principal: z.string().max(100).optional(),
      reads: z.stringbool().or(z.boolean()).default(false),
      waitSeconds: z.coerce.number().int().min(0).max(30).default(0),
    }),
    summary:
      'Reads records: the newest, or those after an index; waits for some if there are none. Reads of the log itself are left out unless asked for.',
  },
  'audit.why': {
    name: 'audit.why',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/calls/{call}',
    effect: 'audit',
    input: z.strictObject({ ...namespace, call: callId }),
    summary: 'Everything on one call: decision, reason, outcome, proof.',
  },
  'audit.why-not': {
    name: 'audit.why-not',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/calls/{call}/why-not',
    effect: 'audit',
    input: z.strictObject({ ...namespace, call: callId }),
    summary:
      'Why a call was refused: which rule, which condition, what would change it, under the policies of then and of today. No arguments.',
  },
  'audit.cases': {
    name: 'audit.cases',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/cases',
    effect: 'audit',
    input: z.strictObject({
      ...namespace,
      call: callId.optional(),
      before: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(50).default(20),
    }),
    summary:
      "What it takes to make recorded decisions again with stock Cedar: records, the engine's exact input, policy files, tool schemas. Of one call, or the newest.",
  },
  'audit.events': {
    name: 'audit.events',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/events',
    effect: 'audit',
    input: z.strictObject({
      ...namespace,
      format: z.enum(['record', 'ocsf', 'cloudevents']).default('record'),
      after: z.coerce.number().int().min(-1).default(-1),
      limit: z.coerce.number().int().min(1).max(1000).default(500),
      waitSeconds: z.coerce.number().int().min(0).max(30).default(0),
    }),
    summary:
      'The log as events for other systems, after a position in it: records, OCSF (API Activity, one event a call) or CloudEvents. Reads of the log are left out.',
  },
  'audit.exporters': {
    name: 'audit.exporters',
    method: 'GET',
    path: '/api/v1/exporters',
    effect: 'audit',
    input: z.strictObject({}),
    summary: 'The receivers that the log is sent to as it grows: how far each is, what it refuses and does not keep.',
  },
  'audit.prove': {
    name: 'audit.prove',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/audit/calls/{call}/proof',
    effect: 'audit',
    input: z.strictObject({ ...namespace, call: z.uuid() }),
    summary:
      'The records of one call, each with an inclusion proof and the signed checkpoint. Waits for the checkpoint where one is due.',
  },
} satisfies Record<string, Operation>
