import type { ApprovalEvent } from '../approvals/index.ts'
import type { DecisionLog } from '../audit/index.ts'

/**
 * Writes an `approval` record into the log of the namespace of the call that waits. It belongs to the call that caused it.
 * `written` is told then; it must not throw.
 */
export function recordApproval(
  decisionLog: Pick<DecisionLog, 'append'>,
  written: () => void,
): (event: ApprovalEvent) => Promise<void> {
  return async ({ type, namespace, approval, principal, call, facts }) => {
    await decisionLog.append({
      kind: 'approval',
      namespace,
      run: call,
      call,
      parentCall: null,
      trace: null,
      event: { ...facts, type, approval, principal },
    })
    written()
  }
}
