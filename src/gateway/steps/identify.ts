import { McpworksError, uuidv7 } from '../../kernel/index.ts'
import type { IdentifiedCall } from '../call.ts'
import type { GatewayRequest } from '../gateway.ts'
import type { GatewayPorts } from '../ports.ts'
import type { RunLedger } from '../run-ledger.ts'
import { isWithdrawn } from '../withdrawals.ts'

/**
 * Gives the request its call id and the run that it belongs to. The credential was checked at the door: a
 * `GatewayRequest` cannot be made without a caller. Here the caller is looked at once more, as it is at this moment.
 * @throws McpworksError `credential_invalid` where the credential was revoked or has expired since, or the namespace is closed
 */
export function identify(
  request: GatewayRequest,
  runs: RunLedger,
  { refresh, withdrawals, clock }: Pick<GatewayPorts, 'refresh' | 'withdrawals' | 'clock'>,
): IdentifiedCall {
  const caller = refresh(request.caller)
  if (caller === null || isWithdrawn(request, withdrawals)) throw new McpworksError('credential_invalid')
  return {
    ...request,
    caller,
    call: uuidv7(clock.nowMs()),
    // What code does on behalf of a caller belongs to the run that it was started in, however long that lasts.
    run: request.parent?.run ?? runs.currentRun(caller, request.namespace),
    labels: [],
    startedMs: clock.monotonicMs(),
  }
}
