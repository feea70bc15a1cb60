import { uuidv7, type Clock } from '../../kernel/index.ts'
import type { IdentifiedCall } from '../call.ts'
import type { GatewayRequest } from '../gateway.ts'
import type { RunLedger } from '../run-ledger.ts'

/**
 * Gives the request its call id and the run that it belongs to. The credential was checked at the door:
 * a `GatewayRequest` cannot be made without a caller.
 */
export function identify(request: GatewayRequest, runs: RunLedger, clock: Clock): IdentifiedCall {
  return {
    ...request,
    call: uuidv7(clock.nowMs()),
    run: runs.currentRun(request.caller, request.namespace),
    labels: [],
    startedMs: clock.monotonicMs(),
  }
}
