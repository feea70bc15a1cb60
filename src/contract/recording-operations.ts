import { z } from 'zod'
import { namespace } from './names.ts'
import type { Operation } from './operation.ts'

/** Longest that something can be told to be kept: a hundred years. Longer is for ever. */
const days = z.coerce
  .number()
  .int()
  .min(1)
  .max(36_525)
  .or(z.enum(['forever', 'default']))

/** Id of a principal: a user, or an agent as `namespace/agent`. */
const subject = z.string().min(1).max(200)

const reason = z.string().trim().min(1).max(500)

/** Operations on what is kept beside records, and for how long. */
export const recordingOperations = {
  'recording.show': {
    name: 'recording.show',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/recording',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'What is kept of the calls of a namespace, and for how many days.',
  },
  'recording.set': {
    name: 'recording.set',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/recording',
    effect: 'manage',
    input: z.strictObject({
      ...namespace,
      level: z.enum(['metadata', 'request', 'request_response', 'default']).optional(),
      bodyDays: days.optional(),
      recordDays: days.optional(),
    }),
    summary:
      'Sets what is kept of the calls of a namespace: the level of detail, the days for arguments and results, and the days for the texts of records. What is not given stays.',
  },
  'hold.place': {
    name: 'hold.place',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/holds',
    effect: 'manage',
    input: z.strictObject({ ...namespace, subject: subject.optional(), reason }),
    summary:
      'Places a legal hold: nothing of the namespace, or of one principal in it, is deleted or erased until it is lifted. What other namespaces have is not kept by it.',
  },
  'hold.list': {
    name: 'hold.list',
    method: 'GET',
    path: '/api/v1/namespaces/{namespace}/holds',
    effect: 'manage',
    input: z.strictObject(namespace),
    summary: 'Lists the legal holds of a namespace.',
  },
  'hold.lift': {
    name: 'hold.lift',
    method: 'POST',
    path: '/api/v1/namespaces/{namespace}/holds/{hold}/lift',
    effect: 'manage',
    input: z.strictObject({ ...namespace, hold: z.string().max(64), reason }),
    summary: 'Lifts a legal hold. What it kept goes with the next round, where its time is over.',
  },
  'erasure.erase': {
    name: 'erasure.erase',
    method: 'POST',
    path: '/api/v1/erasures',
    effect: 'manage',
    input: z.strictObject({ subject, confirm: z.string().max(200), agents: z.boolean().default(false) }),
    summary:
      'Erases arguments, results and engine inputs of a principal by deleting the keys, in all namespaces but those where a hold is in the way, which the answer names (held); with its agents where asked. Cannot be undone.',
  },
} satisfies Record<string, Operation>
