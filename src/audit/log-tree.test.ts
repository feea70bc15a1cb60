import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogTree, tileWidth, type FullTile } from './log-tree.ts'
import { leafHash, nodeHash, treeHashBytes, treeRoot, type SubtreeReader } from './rfc6962.ts'

function hashesOf(leaves: readonly Uint8Array[]): SubtreeReader {
  const read: SubtreeReader = (level, index) =>
    level === 0
      ? (leaves[index] ?? leafHash('none'))
      : nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1))
  return read
}

function grow(tree: LogTree, leaves: readonly Uint8Array[]): FullTile[] {
  return leaves.flatMap((leaf) => tree.append(leaf))
}

/** The unfinished tiles, cut from leaves and full tiles as a store would. */
function unfinished(leaves: readonly Uint8Array[], tiles: readonly FullTile[]): Uint8Array[][] {
  const partial = [leaves.slice(leaves.length - (leaves.length % tileWidth))]
  for (
    let level = 1, count = Math.floor(leaves.length / tileWidth);
    count > 0;
    level++, count = Math.floor(count / tileWidth)
  ) {
    const roots = tiles.filter((tile) => tile.level === level - 1).map(({ root }) => root)
    partial.push(roots.slice(count - (count % tileWidth)))
  }
  return partial
}

const numbered = (count: number) => Array.from({ length: count }, (_, position) => leafHash(`leaf ${position}`))
const many = numbered(66_000)

describe('LogTree', () => {
  it('has the root of RFC 6962 at every size', () => {
    const tree = new LogTree()
    const read = hashesOf(many)
    for (const [position, leaf] of many.slice(0, 600).entries()) {
      expect(Buffer.from(tree.root()).equals(treeRoot(read, position))).toBe(true)
      tree.append(leaf)
    }
    expect(tree.size).toBe(600)
  })

  it('cuts a tile of every 256 leaves, and one of every 256 tiles', () => {
    const tiles = grow(new LogTree(), many)
    expect(tiles.filter(({ level }) => level === 0).map(({ index }) => index)).toEqual(
      Array.from({ length: 257 }, (_, index) => index),
    )
    const upper = tiles.filter(({ level }) => level === 1)
    expect(upper.map(({ index }) => index)).toEqual([0])
    const read = hashesOf(many)
    const third = tiles.find(({ level, index }) => level === 0 && index === 3)
    expect(Buffer.from(third?.root ?? []).equals(read(8, 3))).toBe(true)
    expect(
      Buffer.from(third?.hashes.subarray(treeHashBytes, 2 * treeHashBytes) ?? []).equals(leafHash('leaf 769')),
    ).toBe(true)
    expect(Buffer.from(upper[0]?.root ?? []).equals(read(16, 0))).toBe(true)
    expect(Buffer.from(upper[0]?.hashes.subarray(0, treeHashBytes) ?? []).equals(read(8, 0))).toBe(true)
  })

  it('goes on as if it had never stopped when it is resumed from its tiles', () => {
    const edges = fc.oneof(fc.integer({ min: 0, max: 66_000 }), fc.constantFrom(255, 256, 257, 65_535, 65_536, 65_537))
    fc.assert(
      fc.property(edges, fc.integer({ min: 0, max: 600 }), (size, more) => {
        const whole = new LogTree()
        const tiles = grow(whole, many.slice(0, size))
        const resumed = LogTree.resume(size, unfinished(many.slice(0, size), tiles))
        const next = many.slice(size, size + more)
        expect(grow(resumed, next)).toEqual(grow(whole, next))
        expect(Buffer.from(resumed.root()).equals(whole.root())).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it('refuses to be resumed from tiles of another size', () => {
    expect(() => LogTree.resume(3, [numbered(2)])).toThrow(RangeError)
  })
})
