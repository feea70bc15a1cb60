import type { TreeReader } from './audit-reader.ts'
import type { TreeName } from './read-tile.ts'
import { consistencyProof, inclusionProof, nodeHash, treeRoot, type SubtreeReader } from './rfc6962.ts'

const tileHeight = 8

/** What is read of a tree to prove something of it. */
type Hashes = Pick<TreeReader, 'hashes'>

/**
 * RFC 6962 proof that the stored tree of `second` leaves begins with that of `first`; empty where the sizes are equal,
 * or the first tree is empty. Does not verify the tree.
 * @throws RangeError unless `0 <= first <= second`, or where hashes of the tree are not there
 */
export async function proveConsistency(
  reader: Hashes,
  tree: TreeName,
  first: number,
  second: number,
): Promise<Uint8Array[]> {
  return first === 0 ? [] : withSubtrees(reader, tree, (read) => consistencyProof(read, first, second))
}

/** RFC 6962 proof of a leaf in the stored tree of `size` leaves. @throws RangeError unless `0 <= index < size` */
export function proveInclusion(reader: Hashes, tree: TreeName, index: number, size: number): Promise<Uint8Array[]> {
  return withSubtrees(reader, tree, (read) => inclusionProof(read, index, size))
}

/** Root over the first `size` leaves that are stored. @throws RangeError where hashes of the tree are not there */
export function rootAt(reader: Hashes, tree: TreeName, size: number): Promise<Uint8Array> {
  return withSubtrees(reader, tree, (read) => treeRoot(read, size))
}

/** Finds out first which subtrees are asked for, because they cannot be had without waiting. */
async function withSubtrees<Result>(
  reader: Hashes,
  { namespace, period }: TreeName,
  compute: (read: SubtreeReader) => Result,
): Promise<Result> {
  const known = new Map<string, Uint8Array>()
  compute((level, index) => {
    known.set(`${level} ${index}`, nothing)
    return nothing
  })
  for (const name of known.keys()) {
    const [level = 0, index = 0] = name.split(' ').map(Number)
    const count = 2 ** (level % tileHeight)
    const tileLevel = Math.floor(level / tileHeight)
    const hashes = await reader.hashes(namespace, period, tileLevel, index * count, (index + 1) * count)
    if (hashes.length !== count) throw new RangeError('the stored tree has no such subtree')
    known.set(name, foldPairs(hashes))
  }
  return compute((level, index) => known.get(`${level} ${index}`) ?? nothing)
}

const nothing = new Uint8Array(32)

function foldPairs(hashes: readonly Uint8Array[]): Uint8Array {
  const [left, right] = hashes
  if (left === undefined) throw new RangeError('nothing to fold')
  if (right === undefined) return left
  const half = hashes.length / 2
  return nodeHash(foldPairs(hashes.slice(0, half)), foldPairs(hashes.slice(half)))
}
