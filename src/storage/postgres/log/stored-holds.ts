import type { Hold } from '../../../audit/index.ts'
import { allHolds, recordedHolds, type RecordedHolds } from '../../keeping/recorded-holds.ts'
import type { Session } from '../session.ts'

const holdRows = 'SELECT hold, namespace, subject, reason, placed_by, placed_ms FROM holds JOIN logs USING (log)'

/** Holds of the log `$1`, oldest first. */
const holdsOfLog = `${holdRows} WHERE log = $1 ORDER BY placed_ms, hold`

/** Holds of the namespace `$1`, of all where it is NULL, oldest first. */
export const holdsOfNamespace = `${holdRows} WHERE namespace = COALESCE($1, namespace) ORDER BY placed_ms, hold`

const holdRecords = `SELECT namespace, idx, id, time_ms, kind, call, leaf_hash, json FROM records JOIN logs USING (log)
  WHERE kind = 'legal-hold' AND kind NOT IN ('decision', 'outcome')`

/** Records of holds of the namespace `$1`, of all where it is NULL. */
export const holdRecordsOfNamespace = `${holdRecords} AND log IN (SELECT log FROM logs WHERE namespace = COALESCE($1, namespace))
  ORDER BY namespace, idx`

/** A row as the hold that it is. */
export function holdOfRow(row: Record<string, unknown>): Hold {
  return {
    id: String(row['hold']),
    namespace: String(row['namespace']),
    subject: row['subject'] as string | null,
    reason: String(row['reason']),
    placedBy: String(row['placed_by']),
    placedMs: Number(row['placed_ms']),
  }
}

/** Holds in force on a log, by the table and by the log's own records. @throws DatabaseError */
export async function readHolds(session: Session, log: number, namespace: string): Promise<RecordedHolds> {
  const stored = (await session.query(holdsOfLog, [log])).rows.map(holdOfRow)
  const records = await session.query(`${holdRecords} AND log = $1 ORDER BY idx`, [log])
  const { holds, spoiledAt } = recordedHolds(namespace, records.rows)
  return { holds: allHolds(stored, holds), spoiledAt }
}

/** Holds of the table, and those of the records of any number of namespaces, in the order of these. */
export function allHoldsOf(stored: readonly Hold[], records: readonly Record<string, unknown>[]): Hold[] {
  const recorded = [...Map.groupBy(records, (row) => String(row['namespace']))]
  return allHolds(
    stored,
    recorded.flatMap(([namespace, rows]) => recordedHolds(namespace, rows).holds),
  )
}

/** A log that is locked until the transaction ends, and how far expiry has come there. */
export interface LockedLog {
  readonly log: number
  readonly textsFrom: number
  readonly bodiesFrom: number
  readonly cutCalls: readonly string[]
}

/** Locks the log of a namespace; `null` where it has none. @throws DatabaseError */
export async function lockLog(session: Session, namespace: string): Promise<LockedLog | null> {
  const locked = await session.query('SELECT log FROM logs WHERE namespace = $1 FOR UPDATE', [namespace])
  const [row] = locked.rows
  if (row === undefined) return null
  const log = Number(row['log'])
  // A statement of its own: it must see what was committed while the lock was waited for.
  const { rows } = await session.query(
    'SELECT texts_from, bodies_from, to_json(cut_calls)::text AS cut_calls FROM expiry WHERE log = $1',
    [log],
  )
  return {
    log,
    textsFrom: Number(rows[0]?.['texts_from'] ?? 0),
    bodiesFrom: Number(rows[0]?.['bodies_from'] ?? 0),
    cutCalls: JSON.parse(String(rows[0]?.['cut_calls'] ?? '[]')) as string[],
  }
}
