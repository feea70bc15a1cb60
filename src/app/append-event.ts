import type { DecisionLog, EventDraft, Receipt } from '../audit/index.ts'
import { uuidv7, type Clock } from '../kernel/index.ts'

/** An event that belongs to no call. */
export type OwnEvent = Pick<EventDraft, 'kind' | 'namespace' | 'event'>

/**
 * Writes a record of an event, as a call and a run of its own. Settles when it is durable.
 * @throws McpworksError `audit_unavailable`
 */
export function appendEvent(
  decisionLog: Pick<DecisionLog, 'append'>,
  clock: Pick<Clock, 'nowMs'>,
  { kind, namespace, event }: OwnEvent,
): Promise<Receipt> {
  const id = uuidv7(clock.nowMs())
  return decisionLog.append({ kind, namespace, run: id, call: id, parentCall: null, trace: null, event })
}
