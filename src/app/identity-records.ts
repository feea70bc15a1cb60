import type { DecisionLog } from '../audit/index.ts'
import type { IdentityEvents } from '../auth/index.ts'
import { errorTable, type Clock } from '../kernel/index.ts'
import { appendEvent } from './append-event.ts'
import type { DoorRecords } from './door-records.ts'
import { platformNamespace } from './namespaces.ts'

/**
 * Writes what identity does into the decision log: what takes effect as a `credential` record of its own, durable
 * before it does; refusals with those of the door, counted together, so that strangers cannot fill the disk.
 */
export function createIdentityRecords(
  decisionLog: DecisionLog,
  doorRecords: DoorRecords,
  clock: Clock,
): IdentityEvents {
  return {
    async record({ namespace, type, principalId, credentialId, address, facts }) {
      await appendEvent(decisionLog, clock, {
        kind: 'credential',
        namespace: namespace ?? platformNamespace,
        event: { ...facts, type, principal: principalId, credential: credentialId, address },
      })
    },
    refused: (refusal) => doorRecords.add({ ...refusal, status: errorTable[refusal.code].status }),
  }
}
