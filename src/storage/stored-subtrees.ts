import type { DatabaseSync } from 'node:sqlite'
import { nodeHash, type SubtreeReader } from '../audit/index.ts'

const tileHeight = 8

/** Where the hashes of a tree are stored. */
export interface StoredTree {
  readonly log: number
  readonly tree: number
  /** Position of its first leaf in the namespace. */
  readonly firstIndex: number
}

/**
 * Hashes of complete subtrees of a tree from what is stored: leaf hashes, and the roots of full tiles. At most 255 rows
 * a hash. What it gives throws RangeError where the tree has no such subtree.
 */
export function storedSubtrees(database: DatabaseSync, { log, tree, firstIndex }: StoredTree): SubtreeReader {
  const leaves = database.prepare(
    'SELECT leaf_hash AS hash FROM records WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx',
  )
  const roots = database.prepare(
    'SELECT root AS hash FROM tiles WHERE tree = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx',
  )
  return (level, index) => {
    const tileLevel = Math.floor(level / tileHeight)
    const count = 2 ** (level % tileHeight)
    const [from, to] = [index * count, (index + 1) * count]
    const rows =
      tileLevel === 0 ? leaves.all(log, firstIndex + from, firstIndex + to) : roots.all(tree, tileLevel - 1, from, to)
    if (rows.length !== count) throw new RangeError('the stored tree has no such subtree')
    return foldPairs(rows.map((row) => row['hash'] as Uint8Array))
  }
}

function foldPairs(hashes: readonly Uint8Array[]): Uint8Array {
  const [left, right] = hashes
  if (left === undefined) throw new RangeError('nothing to fold')
  if (right === undefined) return left
  const half = hashes.length / 2
  return nodeHash(foldPairs(hashes.slice(0, half)), foldPairs(hashes.slice(half)))
}
