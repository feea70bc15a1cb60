import { emptyRoot, nodeHash, treeHashBytes } from './rfc6962.ts'

/** Leaves or subtree roots in one tile, and the tree levels that a tile spans (C2SP tlog-tiles). */
export const tileWidth = 256
const tileHeight = 8

/** A tile that will never change again. `root` is the hash over all of it: an entry of the tile above. */
export interface FullTile {
  /** 0 holds leaf hashes, 1 the roots of tiles of level 0, and so on. */
  readonly level: number
  readonly index: number
  /** 256 hashes of 32 bytes. */
  readonly hashes: Uint8Array
  readonly root: Uint8Array
}

/**
 * The growing edge of an RFC 6962 tree: what is needed to add leaves, to give the root, and to cut full tiles.
 * Keeps at most 255 hashes a tile level. Not safe to share between two writers.
 */
export class LogTree {
  #size = 0
  /** `#peaks[level]` is the complete subtree of that level at the tree's right edge, if there is one. */
  readonly #peaks: (Uint8Array | null)[] = []
  /** `#partial[tileLevel]` are the entries of the tile that is not full yet. */
  readonly #partial: Uint8Array[][] = []

  /**
   * Takes up a tree where it was left.
   * `partial[k]` are the entries of the last tile of level k that is not full, lowest level first.
   */
  static resume(size: number, partial: readonly (readonly Uint8Array[])[]): LogTree {
    const tree = new LogTree()
    for (let level = partial.length - 1; level >= 0; level--) {
      for (const entry of partial[level] ?? []) tree.#add(level, entry, [])
    }
    if (tree.#size !== size) throw new RangeError(`a tree of ${size} leaves cannot end in these tiles`)
    return tree
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size
  }

  /** Adds one leaf hash. Returns the tiles that it made full, lowest level first. */
  append(leaf: Uint8Array): FullTile[] {
    const full: FullTile[] = []
    this.#add(0, leaf, full)
    return full
  }

  /** RFC 6962 root over all leaves. */
  root(): Uint8Array {
    let root: Uint8Array | null = null
    for (const peak of this.#peaks) {
      if (peak !== null) root = root === null ? peak : nodeHash(peak, root)
    }
    return root ?? emptyRoot()
  }

  /** The tiles at the right edge that are not full, lowest level first; levels without one are left out. */
  partialTiles(): { readonly level: number; readonly index: number; readonly hashes: Uint8Array }[] {
    return this.#partial.flatMap((hashes, level) =>
      hashes.length === 0
        ? []
        : [{ level, index: Math.floor(this.#size / tileWidth ** (level + 1)), hashes: concatHashes(hashes) }],
    )
  }

  #add(tileLevel: number, entry: Uint8Array, full: FullTile[]): void {
    this.#size += tileWidth ** tileLevel
    const completed = new Map<number, Uint8Array>()
    let level = tileLevel * tileHeight
    let node = entry
    for (;;) {
      while (this.#peaks.length <= level) this.#peaks.push(null)
      const peak = this.#peaks[level] ?? null
      if (peak === null) break
      this.#peaks[level] = null
      node = nodeHash(peak, node)
      level += 1
      if (level % tileHeight === 0) completed.set(level / tileHeight, node)
    }
    this.#peaks[level] = node
    this.#fill(tileLevel, entry, completed, full)
  }

  #fill(tileLevel: number, entry: Uint8Array, completed: ReadonlyMap<number, Uint8Array>, full: FullTile[]): void {
    while (this.#partial.length <= tileLevel) this.#partial.push([])
    const tile = this.#partial[tileLevel] ?? []
    tile.push(entry)
    if (tile.length < tileWidth) return
    const root = completed.get(tileLevel + 1)
    if (root === undefined) throw new RangeError('a full tile without a root')
    const entries = this.#size / tileWidth ** tileLevel
    full.push({ level: tileLevel, index: entries / tileWidth - 1, hashes: concatHashes(tile), root })
    this.#partial[tileLevel] = []
    this.#fill(tileLevel + 1, root, completed, full)
  }
}

function concatHashes(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(hashes.length * treeHashBytes)
  for (const [position, hash] of hashes.entries()) bytes.set(hash, position * treeHashBytes)
  return bytes
}
