import type { DatabaseSync } from 'node:sqlite'
import type { Hold } from '../audit/index.ts'
import { allHolds, recordedHolds, type RecordedHolds } from './keeping/recorded-holds.ts'

/** Holds in force on one log, by the table and by the log's own records. @throws SQLite's own errors */
export function readHolds(database: DatabaseSync, log: number): RecordedHolds {
  const stored = database
    .prepare(
      `SELECT hold, namespace, subject, reason, placed_by, placed_ms FROM holds JOIN logs USING (log)
       WHERE log = ? ORDER BY placed_ms, hold`,
    )
    .all(log)
    .map(holdOfRow)
  const records = database
    .prepare(
      `SELECT idx, id, time_ms, kind, call, leaf_hash, json FROM records
       WHERE log = ? AND kind = 'legal-hold' AND kind NOT IN ('decision', 'outcome') ORDER BY idx`,
    )
    .all(log)
  const namespace = database.prepare('SELECT namespace FROM logs WHERE log = ?').get(log)?.['namespace']
  const { holds, spoiledAt } = recordedHolds(String(namespace), records)
  return { holds: allHolds(stored, holds), spoiledAt }
}

/** Holds of every log, oldest first in each. @throws SQLite's own errors */
export function readAllHolds(database: DatabaseSync): Hold[] {
  const logs = database.prepare('SELECT log FROM logs ORDER BY namespace').all()
  return logs.flatMap(({ log }) => readHolds(database, Number(log)).holds)
}

function holdOfRow(row: Record<string, unknown>): Hold {
  return {
    id: String(row['hold']),
    namespace: String(row['namespace']),
    subject: row['subject'] as string | null,
    reason: String(row['reason']),
    placedBy: String(row['placed_by']),
    placedMs: Number(row['placed_ms']),
  }
}

/** The log of a namespace and how far expiry has come there, `null` where it has none. @throws SQLite's own errors */
export function findLog(database: DatabaseSync, namespace: string) {
  const row = database.prepare('SELECT log, texts_from, bodies_from FROM logs WHERE namespace = ?').get(namespace)
  if (row === undefined) return null
  return {
    log: Number(row['log']),
    textsFrom: Number(row['texts_from']),
    bodiesFrom: Number(row['bodies_from']),
  }
}
