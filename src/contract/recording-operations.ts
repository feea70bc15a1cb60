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
} satisfies Record<string, Operation>
