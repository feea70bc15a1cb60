import { McpworksError, uuidv7 } from '../../kernel/index.ts'
import type { IdentifiedCall } from '../call.ts'
import type { GatewayRequest } from '../gateway.ts'
import type { GatewayPorts } from '../ports.ts'
import { enterSharedRun } from '../runs/enter-shared-run.ts'
import { isWithdrawn } from '../withdrawals.ts'

/**
 * Gives the request its call id and the run that it belongs to, which is to be left when the call has ended. The credential was checked at the door: a
 * `GatewayRequest` cannot be made without a caller. Here the caller is looked at once more, as it is at this moment.
 * @throws McpworksError `credential_invalid` where the credential was revoked or has expired since, or the namespace is closed
 */
export function identify(
  request: GatewayRequest,
  { refresh, withdrawals, runs, clock }: Pick<GatewayPorts, 'refresh' | 'withdrawals' | 'runs' | 'clock'>,
): { call: IdentifiedCall; leaveRun: () => void } {
  const caller = refresh(request.caller)
  if (caller === null || isWithdrawn(request, withdrawals)) throw new McpworksError('credential_invalid')
  // What code does on behalf of a caller belongs to the run that it was started in, which lasts as long as that call.
  const entered = request.parent ?? enterSharedRun(runs, request.namespace, caller)
  const call: IdentifiedCall = {
    ...request,
    caller,
    call: uuidv7(clock.nowMs()),
    run: entered.run.id,
    currentRun: entered.run,
    labels: entered.run.labels,
    startedMs: clock.monotonicMs(),
  }
  return { call, leaveRun: 'leave' in entered ? entered.leave : () => {} }
}
