import type { CallQuotas } from '../auth/index.ts'
import type { Gateway, GatewayRequest } from '../gateway/index.ts'
import type { DoorRefusal } from '../http/index.ts'
import { errorTable, uuidv7, type Clock } from '../kernel/index.ts'

/** What the quotas of calls stand on. */
export interface CallLimitPorts {
  readonly quotas: CallQuotas
  readonly clock: Clock
  /** Told of each call that is refused. A flood of them must not fill the disk, so they are no records of their own. */
  readonly refused: (refusal: DoorRefusal) => void
}

/**
 * The pipeline behind the quotas of agents and namespaces. Management does not count, so that nobody who may manage can
 * be kept from it, and neither do calls that a function makes: they belong to the call that was counted.
 */
export function limitCalls(gateway: Gateway, { quotas, clock, refused }: CallLimitPorts): Gateway {
  return {
    ...gateway,
    async perform(request, events) {
      const { effect, caller, namespace, facts } = request
      if (effect.kind === 'manage' || effect.kind === 'approve' || effect.kind === 'audit')
        return gateway.perform(request, events)
      const place = quotas.begin(caller.principal, namespace, facts.bodyBytes ?? 0)
      if (!place.ok) {
        refused(refusalOf(request, place.reason))
        return {
          status: 'unavailable',
          call: uuidv7(clock.nowMs()),
          code: 'rate_limited',
          message: errorTable.rate_limited.message,
          retryAfterSeconds: place.retryAfterSeconds,
        }
      }
      try {
        return await gateway.perform(request, events)
      } finally {
        place.end()
      }
    },
  }
}

function refusalOf({ caller, namespace, facts }: GatewayRequest, reason: string): DoorRefusal {
  return {
    code: 'rate_limited',
    status: errorTable.rate_limited.status,
    address: caller.client.address,
    route: facts.method,
    namespace,
    principalId: caller.principal.id,
    credentialId: caller.authentication.credentialId,
    reason,
  }
}
