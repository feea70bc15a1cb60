import type { TileRow } from '../../../audit/index.ts'

/** Tiles that are read at once: they are asked for in order, and each way to the database is waited for. */
export const tilesAtOnce = 8
const mostLevels = 64

/** Which tiles: those of one level of a tree. */
export interface TileLevel {
  readonly namespace: string
  readonly period: string
  readonly level: number
}

/** Tiles that were read with one before them. Each is given once; what is not asked for in time is read again. */
export class TilesAhead {
  readonly #levels = new Map<string, Map<number, TileRow>>()

  /** The tile, if it was read already. */
  take(level: TileLevel, index: number): TileRow | null {
    const tiles = this.#levels.get(nameOf(level))
    const tile = tiles?.get(index) ?? null
    tiles?.delete(index)
    return tile
  }

  /** Keeps tiles in place of those of the same level that were kept before. */
  keep(level: TileLevel, tiles: Map<number, TileRow>): void {
    if (this.#levels.size >= mostLevels) this.#levels.clear()
    this.#levels.set(nameOf(level), tiles)
  }
}

function nameOf({ namespace, period, level }: TileLevel): string {
  return `${namespace} ${period} ${level}`
}
