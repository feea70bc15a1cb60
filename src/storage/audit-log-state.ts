import type { DatabaseSync } from 'node:sqlite'
import { checkpointOrigin, LogTree, periodEndMs, tileWidth, type NoteSigner } from '../audit/index.ts'
import type { StoredTree } from './stored-subtrees.ts'

/** What the writer keeps in memory of one namespace's log. */
export interface AuditLogState {
  readonly log: number
  readonly namespace: string
  /** Time of the newest record. */
  lastTimeMs: number
  /** The tree that records go to, `null` before the first one. */
  open: OpenTree | null
}

/** The tree of a log that is not closed yet. */
export interface OpenTree {
  readonly tree: number
  readonly period: string
  /** Before this time a record goes to it without a look at the calendar; `-Infinity` where that cannot be told. */
  readonly endsMs: number
  /** Position of its first leaf in the namespace. */
  readonly firstIndex: number
  readonly hashes: LogTree
  readonly signer: NoteSigner
  /** Leaves under the newest checkpoint. */
  checkpointed: number
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
  const nextIndex = last === undefined ? 0 : Number(last['idx']) + 1
  return {
    log,
    namespace,
    lastTimeMs: Number(last?.['time_ms'] ?? 0),
    open: loadOpenTree(database, identity, { log, namespace, nextIndex }),
  }
}

/** The time before which a record goes to the tree of a period. */
export function treeEndMs(period: string): number {
  const endMs = periodEndMs(period)
  return Number.isFinite(endMs) ? endMs : -Infinity
}

/** The signer of a tree's checkpoints. */
export function treeSigner(identity: LogIdentity, namespace: string, period: string): NoteSigner {
  return { name: checkpointOrigin(identity.logId, namespace, period), ...identity.key }
}

function loadOpenTree(
  database: DatabaseSync,
  identity: LogIdentity,
  { log, namespace, nextIndex }: { log: number; namespace: string; nextIndex: number },
): OpenTree | null {
  const row = database
    .prepare('SELECT tree, period, first_idx FROM trees WHERE log = ? ORDER BY first_idx DESC LIMIT 1')
    .get(log)
  if (row === undefined) return null
  const [tree, period, firstIndex] = [Number(row['tree']), String(row['period']), Number(row['first_idx'])]
  const checkpoint = database
    .prepare('SELECT size FROM checkpoints WHERE tree = ? ORDER BY size DESC LIMIT 1')
    .get(tree)
  const size = nextIndex - firstIndex
  return {
    tree,
    period,
    endsMs: treeEndMs(period),
    firstIndex,
    hashes: LogTree.resume(size, readPartialTiles(database, { log, tree, firstIndex }, size)),
    signer: treeSigner(identity, namespace, period),
    checkpointed: Number(checkpoint?.['size'] ?? 0),
  }
}

function readPartialTiles(database: DatabaseSync, { log, tree, firstIndex }: StoredTree, size: number): Uint8Array[][] {
  const leaves = database
    .prepare('SELECT leaf_hash AS hash FROM records WHERE log = ? AND idx >= ? ORDER BY idx')
    .all(log, firstIndex + size - (size % tileWidth))
  const partial = [leaves.map((row) => row['hash'] as Uint8Array)]
  const roots = database.prepare(
    'SELECT root AS hash FROM tiles WHERE tree = ? AND level = ? AND idx >= ? ORDER BY idx',
  )
  for (let level = 1, count = Math.floor(size / tileWidth); count > 0; level++, count = Math.floor(count / tileWidth)) {
    const rows = roots.all(tree, level - 1, count - (count % tileWidth))
    partial.push(rows.map((row) => row['hash'] as Uint8Array))
  }
  return partial
}
