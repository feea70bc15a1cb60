import type { TreeReader } from './audit-reader.ts'
import { consistencyProof, nodeHash, treeHashBytes, treeRoot, type SubtreeReader } from './rfc6962.ts'

const tileHeight = 8

/** A tree in a store. */
export interface PlacedTree {
  readonly namespace: string
  readonly period: string
}

/** The RFC 6962 consistency proof between two sizes of a stored tree. @throws RangeError where the tree is smaller */
export function storedConsistency(
  reader: Pick<TreeReader, 'hashes'>,
  tree: PlacedTree,
  first: number,
  second: number,
): Promise<Uint8Array[]> {
  return withSubtrees(reader, tree, (read) => consistencyProof(read, first, second))
}

/** The root over the first leaves of a stored tree. @throws RangeError where the tree is smaller */
export function storedRoot(reader: Pick<TreeReader, 'hashes'>, tree: PlacedTree, size: number): Promise<Uint8Array> {
  return withSubtrees(reader, tree, (read) => treeRoot(read, size))
}

/** Runs a computation on subtrees twice: once to learn which it asks for, and once with those. */
async function withSubtrees<Result>(
  reader: Pick<TreeReader, 'hashes'>,
  tree: PlacedTree,
  compute: (read: SubtreeReader) => Result,
): Promise<Result> {
  const wanted = new Map<string, { readonly level: number; readonly index: number }>()
  compute((level, index) => {
    wanted.set(`${level}/${index}`, { level, index })
    return new Uint8Array(treeHashBytes)
  })
  const found = new Map<string, Uint8Array>()
  for (const [name, { level, index }] of wanted) found.set(name, await subtree(reader, tree, level, index))
  return compute((level, index) => found.get(`${level}/${index}`) ?? new Uint8Array(treeHashBytes))
}

async function subtree(reader: Pick<TreeReader, 'hashes'>, tree: PlacedTree, level: number, index: number) {
  const count = 2 ** (level % tileHeight)
  const tileLevel = Math.floor(level / tileHeight)
  let hashes = await reader.hashes(tree.namespace, tree.period, tileLevel, index * count, (index + 1) * count)
  if (hashes.length !== count) throw new RangeError('the stored tree has no such subtree')
  while (hashes.length > 1) hashes = pairs(hashes)
  return hashes[0] ?? new Uint8Array(treeHashBytes)
}

function pairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  return hashes.flatMap((left, at) => {
    const right = hashes[at + 1]
    return at % 2 === 0 && right !== undefined ? [nodeHash(left, right)] : []
  })
}
