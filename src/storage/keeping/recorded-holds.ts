import { parseObject, readRemoval, type Hold } from '../../audit/index.ts'
import { isJsonObject } from '../../kernel/index.ts'
import { isAsWritten } from '../is-as-written.ts'

/** The holds that the log's own records say are in force. */
export interface RecordedHolds {
  readonly holds: readonly Hold[]
  /** Position of a record of that kind which is not as it was written: whether something is held cannot be told. */
  readonly spoiledAt: number | null
}

/** Reads them off the rows of all records of kind `legal-hold` of a log, in the order of their positions. */
export function recordedHolds(namespace: string, rows: readonly Record<string, unknown>[]): RecordedHolds {
  const holds = new Map<string, Hold>()
  for (const row of rows) {
    if (!isAsWritten(row)) return { holds: [...holds.values()], spoiledAt: Number(row['idx']) }
    const event = parseObject(String(row['json']))?.['event']
    const removal = readRemoval('legal-hold', event)
    if (removal?.kind === 'hold-lifted') holds.delete(removal.hold)
    if (removal?.kind !== 'hold-placed' || !isJsonObject(event)) continue
    holds.set(removal.hold, {
      id: removal.hold,
      namespace,
      subject: removal.subject,
      reason: String(event['reason'] ?? ''),
      placedBy: String(event['by'] ?? ''),
      placedMs: Number(row['time_ms']),
    })
  }
  return { holds: [...holds.values()], spoiledAt: null }
}

/**
 * The holds of a log: those of the table, and those that its records have and the table has not. Somebody who can change
 * the database must not have the log itself delete what is held by taking the hold out of the table.
 */
export function allHolds(stored: readonly Hold[], recorded: readonly Hold[]): Hold[] {
  const ids = new Set(stored.map(({ id }) => id))
  return [...stored, ...recorded.filter(({ id }) => !ids.has(id))]
}

/** Those that keep a principal from being erased. Where it cannot be told what is held, everything is. */
export function holdsOn(subject: string, namespace: string, { holds, spoiledAt }: RecordedHolds): Hold[] {
  const own = holds.filter((hold) => hold.subject === null || hold.subject === subject)
  if (spoiledAt === null) return own
  const reason = `the record of a hold at position ${spoiledAt} is not as it was written: what is held cannot be told`
  return [...own, { id: `record-${spoiledAt}`, namespace, subject: null, reason, placedBy: '', placedMs: 0 }]
}
