import { tileWidth } from '../log-tree.ts'
import { treeHashBytes } from '../rfc6962.ts'

/**
 * Where a tile lies in a log that is files (c2sp.org/tlog-tiles): the index in groups of three digits, all but the last
 * with an `x` before them, and `.p/<width>` behind a tile that is not full.
 */
export function tilePath(level: number, index: number, hashes: Pick<Uint8Array, 'length'>): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  const place = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  const width = hashes.length / treeHashBytes
  return `tile/${level}/${place}${width === tileWidth ? '' : `.p/${width}`}`
}

/** What stands behind `tile/<level>/` in a path, read back. `null` for anything that `tilePath` would not have written. */
export function parseTilePlace(place: string): { readonly index: number; readonly width: number } | null {
  const match = /^((?:x\d{3}\/){0,4})(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(place)
  if (match === null) return null
  const [, upper = '', last = '', partial] = match
  if (upper.startsWith('x000/')) return null
  const width = partial === undefined ? tileWidth : Number(partial)
  if (partial !== undefined && width >= tileWidth) return null
  return { index: Number(`${upper.replaceAll(/[x/]/g, '')}${last}`), width }
}
