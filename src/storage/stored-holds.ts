import type { DatabaseSync } from 'node:sqlite'
import type { Hold } from '../audit/index.ts'

/** Holds in force, of one log or of all. @throws SQLite's own errors */
export function readHolds(database: DatabaseSync, log: number | null): Hold[] {
  return database
    .prepare(
      `SELECT hold, namespace, subject, reason, placed_by, placed_ms FROM holds JOIN logs USING (log)
       WHERE log = coalesce(?, log) ORDER BY placed_ms, hold`,
    )
    .all(log)
    .map((row) => ({
      id: String(row['hold']),
      namespace: String(row['namespace']),
      subject: row['subject'] as string | null,
      reason: String(row['reason']),
      placedBy: String(row['placed_by']),
      placedMs: Number(row['placed_ms']),
    }))
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
