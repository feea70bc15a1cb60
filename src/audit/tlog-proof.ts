import { treeHashBytes } from './rfc6962.ts'

const header = 'c2sp.org/tlog-proof@v1'

/** Shows to whoever has the log's key that an entry is in it (c2sp.org/tlog-proof). */
export interface TlogProof {
  /** Position of the entry, from 0. */
  readonly index: number
  /** RFC 6962 inclusion proof, lowest hash first; 32 bytes each. */
  readonly inclusion: readonly Uint8Array[]
  /** The signed note of a checkpoint. */
  readonly checkpoint: string
}

/** The proof as text. */
export function writeTlogProof({ index, inclusion, checkpoint }: TlogProof): string {
  const hashes = inclusion.map((hash) => `${Buffer.from(hash).toString('base64')}\n`)
  return `${header}\nindex ${index}\n${hashes.join('')}\n${checkpoint}`
}

/** Reads a proof; `null` where it is malformed. Believes nothing in it. An `extra` line is passed over. */
export function readTlogProof(text: string): TlogProof | null {
  const cut = text.indexOf('\n\n')
  if (cut < 0) return null
  const [first, ...rest] = text.slice(0, cut).split('\n')
  if (first !== header) return null
  const [indexLine, ...hashes] = rest[0]?.startsWith('extra ') === true ? rest.slice(1) : rest
  const index = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine ?? '')?.[1]
  // A tree has at most 64 levels.
  if (index === undefined || hashes.length > 64) return null
  const inclusion = hashes.map((line) => Buffer.from(line, 'base64'))
  const isExact = inclusion.every((hash, at) => hash.length === treeHashBytes && hash.toString('base64') === hashes[at])
  return isExact ? { index: Number(index), inclusion, checkpoint: text.slice(cut + 2) } : null
}
