import { createApprovals, type Approvals, type ApprovalStore, type WantedCall } from '../../src/approvals/index.ts'
import { sha256, systemClock } from '../../src/kernel/index.ts'
import type { Storage } from '../../src/storage/index.ts'

/** Approvals over storage that is open, without a log. */
export function approvalsAt({ approvals, masterKey }: Storage, part: Partial<ApprovalStore> = {}): Approvals {
  return createApprovals({
    store: changed(approvals, part),
    record: async () => {},
    ownerOf: () => null,
    keys: masterKey,
    clock: systemClock,
    config: {
      requestSeconds: 600,
      useSeconds: 600,
      deniedSeconds: 600,
      maxPendingPerAgent: 100,
      maxPendingPerNamespace: 100,
      maxPerAgentPerHour: 1000,
      maxArgumentBytes: 16_384,
      notify: [],
      keepDays: 1,
    },
  })
}

/** The store with some of its members replaced. */
function changed(store: ApprovalStore, part: Partial<ApprovalStore>): ApprovalStore {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(part, name)
      const member: unknown = own ?? Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(own === undefined ? target : part) : member
    },
  })
}

/** A refund of an order, as it would be asked for. */
export function wantedCall(order: string): WantedCall {
  return {
    namespace: 'shop',
    requester: { type: 'agent', id: 'shop/one', actors: [] },
    door: 'tool',
    tool: 'refund',
    service: 'refund',
    definitionHash: sha256('definition'),
    codeHash: null,
    inputSchema: null,
    arguments: { order },
    rules: ['team.cedar#a'],
    reasons: [],
    call: `call of ${order}`,
  }
}

/** Asks for approval of a call and gives it. */
export async function approved(approvals: Approvals, call: WantedCall): Promise<string> {
  const sought = await approvals.seek(call)
  if (sought.kind !== 'pending') throw new Error(sought.kind)
  await approvals.decide(call.namespace, sought.id, {
    verdict: 'approved',
    by: 'anna',
    deciders: ['anna'],
    link: null,
    method: 'session',
    credentialId: 'x',
    address: '',
    call: 'deciding',
    comment: '',
  })
  return sought.id
}
