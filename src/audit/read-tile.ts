import type { CheckpointRow, TreeReader } from './audit-reader.ts'
import { tileWidth } from './log-tree.ts'
import { treeHashBytes } from './rfc6962.ts'

/** One tree of the log. */
export interface TreeName {
  readonly namespace: string
  /** `2026-11`, or empty for the tree of a log that was begun without periods. */
  readonly period: string
}

/** Which tile (c2sp.org/tlog-tiles). */
export interface TileName {
  readonly level: number
  readonly index: number
  /** Hashes in it: 256, or fewer for a tile at the right edge. */
  readonly width: number
}

/** Whether a tree of `size` leaves has the tile, or had it on the way to that size. */
export function tileIsCovered({ level, index, width }: TileName, size: number): boolean {
  return index * tileWidth + width <= Math.floor(size / tileWidth ** level)
}

/**
 * The hashes of a tile, as far as the newest signed checkpoint covers them; `null` where it does not.
 * A tile never changes once it is covered.
 */
export async function readTile(
  reader: Pick<TreeReader, 'hashes'>,
  tree: TreeName,
  tile: TileName,
  newest: Pick<CheckpointRow, 'size'>,
): Promise<Uint8Array | null> {
  if (!tileIsCovered(tile, newest.size)) return null
  const from = tile.index * tileWidth
  const hashes = await reader.hashes(tree.namespace, tree.period, tile.level, from, from + tile.width)
  if (hashes.length !== tile.width || hashes.some((hash) => hash.length !== treeHashBytes)) return null
  return Buffer.concat(hashes)
}
