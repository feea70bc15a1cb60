import { describe, expect, it } from 'vitest'
import { parseTilePlace, tilePath } from './bundle/tile-path.ts'
import { LogTree } from './log-tree.ts'
import { leafHash } from './rfc6962.ts'
import { readTile, tileIsCovered } from './read-tile.ts'

const tree = { namespace: 'demo', period: '' }

/** The examples of c2sp.org/tlog-tiles. */
describe('the tiles of a tree', () => {
  it('are covered as the specification counts them for 70,000 leaves', () => {
    const covered = (level: number, index: number, width: number) => tileIsCovered({ level, index, width }, 70_000)
    expect([covered(0, 272, 256), covered(0, 273, 256)]).toEqual([true, false])
    expect([covered(0, 273, 112), covered(0, 273, 113)]).toEqual([true, false])
    expect([covered(1, 0, 256), covered(1, 1, 17), covered(1, 1, 18)]).toEqual([true, true, false])
    expect([covered(2, 0, 1), covered(2, 0, 2), covered(3, 0, 1)]).toEqual([true, false, false])
  })

  it('are not handed out where a hash of them is missing', async () => {
    const log = new LogTree()
    const leaves = Array.from({ length: 3 }, (_, at) => leafHash(String(at)))
    for (const leaf of leaves) log.append(leaf)
    const reader = (kept: readonly Uint8Array[]) => ({
      hashes: async (_namespace: string, _period: string, _level: number, from: number, to: number) =>
        kept.slice(from, to),
    })
    const tile = { level: 0, index: 0, width: 3 }
    const [edge] = log.partialTiles()
    expect(await readTile(reader(leaves), tree, tile, { size: 3 })).toEqual(edge?.hashes)
    expect(await readTile(reader(leaves.slice(0, 2)), tree, tile, { size: 3 })).toBeNull()
    expect(await readTile(reader(leaves), tree, tile, { size: 2 })).toBeNull()
  })
})

describe('the place of a tile', () => {
  it('is read back as it was written', () => {
    for (const [index, width] of [
      [0, 256],
      [7, 1],
      [999, 255],
      [1000, 256],
      [1_234_067, 112],
      [999_999_999_999, 3],
    ] as const) {
      const path = tilePath(2, index, new Uint8Array(width * 32))
      expect(parseTilePlace(path.slice('tile/2/'.length))).toEqual({ index, width })
    }
    expect(parseTilePlace('x001/x234/067')).toEqual({ index: 1_234_067, width: 256 })
  })

  it.each([
    '',
    '1',
    '0001',
    'x001',
    'x000/001',
    '001/x002',
    '../000',
    '000/',
    '000.p/0',
    '000.p/256',
    '000.p/01',
    '000.p',
  ])('is refused where it is spelled otherwise: %j', (place) => expect(parseTilePlace(place)).toBeNull())
})
