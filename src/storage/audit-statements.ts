import type { DatabaseSync, StatementSync } from 'node:sqlite'

/**
 * The writer's statements, prepared once a connection. Plain SQL and not kysely's builder, because compiling a query
 * for every record would cost as much as the insert itself.
 */
export interface AuditStatements {
  readonly begin: StatementSync
  readonly commit: StatementSync
  readonly insertRecord: StatementSync
  readonly insertBody: StatementSync
  readonly insertTree: StatementSync
  readonly insertTile: StatementSync
  readonly insertCheckpoint: StatementSync
  readonly writeHead: StatementSync
}

/** @throws SQLite's own errors */
export function prepareAuditStatements(database: DatabaseSync): AuditStatements {
  return {
    begin: database.prepare('BEGIN IMMEDIATE'),
    commit: database.prepare('COMMIT'),
    insertRecord: database.prepare(
      'INSERT INTO records (seq, log, idx, id, time_ms, kind, call, principal, leaf_hash, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    insertBody: database.prepare('INSERT INTO bodies (seq, data_key, sealed) VALUES (?, ?, ?)'),
    insertTree: database.prepare('INSERT INTO trees (log, period, first_idx) VALUES (?, ?, ?)'),
    insertTile: database.prepare('INSERT INTO tiles (tree, level, idx, root, hashes) VALUES (?, ?, ?, ?, ?)'),
    insertCheckpoint: database.prepare(
      'INSERT INTO checkpoints (ordinal, tree, size, time_ms, note) VALUES (?, ?, ?, ?, ?)',
    ),
    writeHead: database.prepare(
      `INSERT INTO head (one, epoch, next_seq, last_hash, checkpoints, open_from, mac) VALUES (1, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, next_seq = excluded.next_seq,
         last_hash = excluded.last_hash, checkpoints = excluded.checkpoints, open_from = excluded.open_from, mac = excluded.mac`,
    ),
  }
}
