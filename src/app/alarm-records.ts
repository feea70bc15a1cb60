import type { DecisionLog, EventDraft } from '../audit/index.ts'
import type { Clock } from '../kernel/index.ts'
import { appendEvent } from './append-event.ts'

/** Writes a record of kind `alarm`, in the log of the namespace that it is about. @throws McpworksError `audit_unavailable` */
export function alarmRecords(
  decisionLog: Pick<DecisionLog, 'append'>,
  clock: Pick<Clock, 'nowMs'>,
): (namespace: string, event: EventDraft['event']) => Promise<void> {
  return async (namespace, event) => {
    await appendEvent(decisionLog, clock, { kind: 'alarm', namespace, event })
  }
}
