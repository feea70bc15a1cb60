import type { DecisionLog, EventDraft } from '../audit/index.ts'
import { uuidv7, type Clock } from '../kernel/index.ts'

/** Writes a record of kind `alarm`, in the log of the namespace that it is about. @throws McpworksError `audit_unavailable` */
export function alarmRecords(
  decisionLog: Pick<DecisionLog, 'append'>,
  clock: Pick<Clock, 'nowMs'>,
): (namespace: string, event: EventDraft['event']) => Promise<void> {
  return async (namespace, event) => {
    const id = uuidv7(clock.nowMs())
    await decisionLog.append({ kind: 'alarm', namespace, run: id, call: id, parentCall: null, trace: null, event })
  }
}
