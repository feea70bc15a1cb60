import { tileWidth } from '../log-tree.ts'
import { treeHashBytes } from '../rfc6962.ts'

/**
 * Where a tile lies in a log that is files (c2sp.org/tlog-tiles): the index in groups of three digits, all but the last
 * with an `x` before them, and `.p/<width>` behind a tile that is not full.
 */
export function tilePath(level: number, index: number, hashes: Uint8Array): string {
  const digits = String(index)
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  const place = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/')
  const width = hashes.length / treeHashBytes
  return `tile/${level}/${place}${width === tileWidth ? '' : `.p/${width}`}`
}
