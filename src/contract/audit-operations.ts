import { z } from 'zod'
import type { Operation } from './operation.ts'

const name = z.string().regex(/^[a-z][a-z0-9-]{0,38}[a-z0-9]$/, 'names are 2-40 of a-z, 0-9 and hyphen, a letter first')

/** Operations that hand the decision log to somebody who does not trust this server. */
export const auditOperations = {
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
