import {
  keyChangeEvent,
  periodEvent,
  verifierKey,
  writeRecord,
  type EventDraft,
  type KeyChangeEvent,
  type NoteSigner,
} from '../audit/index.ts'
import { uuidv7 } from '../kernel/index.ts'
import type { OpenTree } from './audit-log-state.ts'
import type { OpenDecision } from './open-decisions.ts'
import type { AppendItem } from './worker-protocol.ts'

/** What the writer records by itself. Nobody waits for it. */
type LogItem = Omit<AppendItem, 'ticket'>

/** Ends an allowed call that a former start left without an outcome. */
export function abandonedItem(decision: OpenDecision, timeMs: number): LogItem {
  const { namespace, run, call, parentCall, trace, id } = decision
  const reason = 'The server stopped before an outcome was recorded. Whether the effect took place is not known.'
  return itemOf({ kind: 'abandoned', namespace, run, call, parentCall, trace, event: { decision: id, reason } }, timeMs)
}

/** Begins the tree of a period, and names the one before it as its last checkpoint commits to it. */
export function periodItem(
  namespace: string,
  closed: { readonly signer: Pick<NoteSigner, 'name' | 'publicKey'> } & Pick<OpenTree, 'hashes'>,
  period: string,
  timeMs: number,
): LogItem {
  const { name, publicKey } = closed.signer
  const root = closed.hashes.root()
  const previous = { origin: name, size: closed.hashes.size, root, key: verifierKey({ name, publicKey }) }
  return ownItem('period', namespace, periodEvent({ period, previous }), timeMs)
}

/** Names the key that takes the place of the one before. */
export function keyChangeItem(namespace: string, event: KeyChangeEvent, timeMs: number): LogItem {
  return ownItem('key-change', namespace, keyChangeEvent(event), timeMs)
}

/** Kinds of record about what is kept and deleted. */
export type KeepingKind = 'retention' | 'erasure' | 'legal-hold' | 'alarm'

/** Says what was taken out of the log, or may not be. */
export function keepingItem(namespace: string, kind: KeepingKind, event: EventDraft['event'], timeMs: number): LogItem {
  return ownItem(kind, namespace, event, timeMs)
}

/** A record of the log about itself: it belongs to no call, and has a run of its own. */
function ownItem(kind: EventDraft['kind'], namespace: string, event: EventDraft['event'], timeMs: number): LogItem {
  const call = uuidv7(timeMs)
  return itemOf({ kind, namespace, run: call, call, parentCall: null, trace: null, event }, timeMs)
}

function itemOf(draft: EventDraft, timeMs: number): LogItem {
  const { namespace, kind, call } = draft
  const bodies = { input: null, output: null, engineInput: null, redactions: '' }
  return {
    timeMs,
    namespace,
    kind,
    call,
    principal: null,
    subject: null,
    allows: false,
    text: writeRecord(draft, timeMs),
    ...bodies,
  }
}
