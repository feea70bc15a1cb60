import { LogTree, tileWidth } from '../../../audit/index.ts'
import type { Session } from '../session.ts'

const leavesPerRead = 10_000

/** A tree as its row and its tiles have it. */
export interface StoredEdge {
  readonly log: number
  readonly tree: number
  /** Position of its first leaf in the namespace. */
  readonly firstIndex: number
  /** Leaves. */
  readonly size: number
}

/** Takes up a tree at its growing edge: leaf hashes, and the roots of full tiles. @throws DatabaseError; RangeError for a damaged one */
export async function readTreeEdge(session: Session, { log, tree, firstIndex, size }: StoredEdge): Promise<LogTree> {
  const end = firstIndex + size
  const edge = [await readLeaves(session, log, end - (size % tileWidth), end)]
  for (let level = 1, count = Math.floor(size / tileWidth); count > 0; level++, count = Math.floor(count / tileWidth)) {
    const { rows } = await session.query(
      'SELECT root AS hash FROM tiles WHERE tree = $1 AND level = $2 AND idx >= $3 AND idx < $4 ORDER BY idx',
      [tree, level - 1, count - (count % tileWidth), count],
    )
    edge.push(rows.map((row) => row['hash'] as Uint8Array))
  }
  return LogTree.resume(size, edge)
}

/** Leaf hashes at positions `from..to` of a log, without the last. @throws DatabaseError */
async function readLeaves(session: Session, log: number, from: number, to: number): Promise<Uint8Array[]> {
  const { rows } = await session.query(
    'SELECT leaf_hash AS hash FROM records WHERE log = $1 AND idx >= $2 AND idx < $3 ORDER BY idx',
    [log, from, to],
  )
  return rows.map((row) => row['hash'] as Uint8Array)
}

/** The tree of a log that records go to, with all its leaves. */
export interface OpenLogTree {
  readonly period: string
  readonly hashes: LogTree
  /** The position that the next record of the log gets. */
  readonly nextIndex: number
}

/**
 * Locks a log until the transaction ends and hashes its open tree to the end: the sequencer may not be there yet.
 * @throws DatabaseError; RangeError for a damaged tree
 */
export async function lockOpenTree(session: Session, log: number): Promise<OpenLogTree> {
  const locked = await session.query('SELECT next_idx FROM logs WHERE log = $1 FOR UPDATE', [log])
  const nextIndex = Number(locked.rows[0]?.['next_idx'])
  const { rows } = await session.query(
    'SELECT tree, period, first_idx, size FROM trees WHERE log = $1 ORDER BY first_idx DESC LIMIT 1',
    [log],
  )
  const [row = {}] = rows
  const [tree, firstIndex, size] = [Number(row['tree']), Number(row['first_idx']), Number(row['size'])]
  const hashes = await readTreeEdge(session, { log, tree, firstIndex, size })
  for (let from = firstIndex + size; from < nextIndex; from += leavesPerRead) {
    const to = Math.min(nextIndex, from + leavesPerRead)
    for (const leaf of await readLeaves(session, log, from, to)) hashes.append(leaf)
  }
  if (hashes.size !== nextIndex - firstIndex) throw new RangeError('the stored log has a hole')
  return { period: String(row['period']), hashes, nextIndex }
}
