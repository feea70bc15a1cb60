import type { DatabaseSync } from 'node:sqlite'
import { checkpointOrigin, LogTree, tileWidth, type NoteSigner } from '../audit/index.ts'

/** What the writer keeps in memory of one namespace's log. */
export interface AuditLogState {
  readonly log: number
  readonly namespace: string
  readonly tree: LogTree
  readonly signer: NoteSigner
  /** Leaves under the newest checkpoint. */
  checkpointed: number
  /** Time of the newest record. */
  lastTimeMs: number
}

/** What all logs of a data directory share. */
export interface LogIdentity {
  readonly logId: string
  readonly epoch: number
  readonly masterKey: Uint8Array
  readonly key: Omit<NoteSigner, 'name'>
}

/**
 * Reads a log's state from the database, and makes the log where it is not there yet.
 * Must be called inside a transaction.
 * @throws SQLite's own errors
 */
export function loadLogState(database: DatabaseSync, identity: LogIdentity, namespace: string): AuditLogState {
  database.prepare('INSERT INTO logs (namespace) VALUES (?) ON CONFLICT DO NOTHING').run(namespace)
  const log = Number(database.prepare('SELECT log FROM logs WHERE namespace = ?').get(namespace)?.['log'])
  const last = database.prepare('SELECT idx, time_ms FROM records WHERE log = ? ORDER BY idx DESC LIMIT 1').get(log)
  const size = last === undefined ? 0 : Number(last['idx']) + 1
  const checkpoint = database.prepare('SELECT size FROM checkpoints WHERE log = ? ORDER BY size DESC LIMIT 1').get(log)
  return {
    log,
    namespace,
    tree: LogTree.resume(size, readPartialTiles(database, log, size)),
    signer: { name: checkpointOrigin(identity.logId, namespace), ...identity.key },
    checkpointed: Number(checkpoint?.['size'] ?? 0),
    lastTimeMs: Number(last?.['time_ms'] ?? 0),
  }
}

function readPartialTiles(database: DatabaseSync, log: number, size: number): Uint8Array[][] {
  const leaves = database
    .prepare('SELECT leaf_hash AS hash FROM records WHERE log = ? AND idx >= ? ORDER BY idx')
    .all(log, size - (size % tileWidth))
  const partial = [leaves.map((row) => row['hash'] as Uint8Array)]
  const roots = database.prepare('SELECT root AS hash FROM tiles WHERE log = ? AND level = ? AND idx >= ? ORDER BY idx')
  for (let level = 1, count = Math.floor(size / tileWidth); count > 0; level++, count = Math.floor(count / tileWidth)) {
    const rows = roots.all(log, level - 1, count - (count % tileWidth))
    partial.push(rows.map((row) => row['hash'] as Uint8Array))
  }
  return partial
}
