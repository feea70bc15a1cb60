import { inclusionProof, nodeHash, type RecordProof } from '../../../audit/index.ts'
import type { ReadingSessions } from './reading-sessions.ts'
import { placeOfRecordId } from './record-place.ts'

const tileHeight = 8

interface Subtree {
  readonly level: number
  readonly index: number
}

/** Where the hashes of a tree are. */
interface StoredTree {
  readonly log: number
  readonly tree: number
  readonly firstIndex: number
}

/** Proof of a record's place under the newest checkpoint of its tree, `null` where there is no such record. */
export async function proveStoredRecord(sessions: ReadingSessions, recordId: string): Promise<RecordProof | null> {
  const place = placeOfRecordId(recordId)
  if (place === null) return null
  const [row] = await sessions.read(
    `SELECT namespace, records.log, idx, leaf_hash, trees.tree, period, first_idx, checkpoint.size, note
     FROM records JOIN logs USING (log)
       LEFT JOIN LATERAL (
         SELECT * FROM trees WHERE trees.log = records.log AND first_idx <= idx ORDER BY first_idx DESC LIMIT 1
       ) AS trees ON TRUE
       LEFT JOIN LATERAL (
         SELECT * FROM checkpoints WHERE checkpoints.tree = trees.tree ORDER BY size DESC LIMIT 1
       ) AS checkpoint ON TRUE
     WHERE writer = $1 AND pos = $2 AND id = $3`,
    [place.writer, place.position, recordId],
  )
  if (row === undefined) return null
  const [index, firstIndex, size] = [Number(row['idx']), Number(row['first_idx'] ?? 0), Number(row['size'] ?? 0)]
  const leafIndex = index - firstIndex
  const isCovered = size > leafIndex
  const tree = { log: Number(row['log']), tree: Number(row['tree']), firstIndex }
  return {
    namespace: String(row['namespace']),
    index,
    period: String(row['period'] ?? ''),
    leafIndex,
    leafHash: base64(row['leaf_hash'] as Uint8Array),
    checkpoint: isCovered ? { size, note: String(row['note']) } : null,
    inclusion: isCovered ? (await readInclusion(sessions, tree, leafIndex, size)).map(base64) : [],
  }
}

/** The proof's hashes. Which subtrees it is made of depends on the sizes alone: so they are told first, and read together. */
async function readInclusion(
  sessions: ReadingSessions,
  tree: StoredTree,
  leafIndex: number,
  size: number,
): Promise<Uint8Array[]> {
  const asked: Subtree[] = []
  inclusionProof(
    (level, index) => {
      asked.push({ level, index })
      return new Uint8Array(32)
    },
    leafIndex,
    size,
  )
  const read = await Promise.all(asked.map((subtree) => readSubtree(sessions, tree, subtree)))
  const hashes = new Map(asked.map(({ level, index }, at) => [`${level} ${index}`, read[at]]))
  return inclusionProof(
    (level, index) => {
      const hash = hashes.get(`${level} ${index}`)
      if (hash === undefined) throw new RangeError('the stored tree has no such subtree')
      return hash
    },
    leafIndex,
    size,
  )
}

/** The hash of a complete subtree, from leaf hashes or the roots of full tiles. At most 128 rows. */
async function readSubtree(
  sessions: ReadingSessions,
  { log, tree, firstIndex }: StoredTree,
  { level, index }: Subtree,
): Promise<Uint8Array> {
  const tileLevel = Math.floor(level / tileHeight)
  const count = 2 ** (level % tileHeight)
  const [from, to] = [index * count, (index + 1) * count]
  const rows =
    tileLevel === 0
      ? await sessions.read(
          'SELECT leaf_hash AS hash FROM records WHERE log = $1 AND idx >= $2 AND idx < $3 ORDER BY idx',
          [log, firstIndex + from, firstIndex + to],
        )
      : await sessions.read(
          'SELECT root AS hash FROM tiles WHERE tree = $1 AND level = $2 AND idx >= $3 AND idx < $4 ORDER BY idx',
          [tree, tileLevel - 1, from, to],
        )
  if (rows.length !== count) throw new RangeError('the stored tree has no such subtree')
  return foldPairs(rows.map((row) => row['hash'] as Uint8Array))
}

function foldPairs(hashes: readonly Uint8Array[]): Uint8Array {
  const [left, right] = hashes
  if (left === undefined) throw new RangeError('nothing to fold')
  if (right === undefined) return left
  const half = hashes.length / 2
  return nodeHash(foldPairs(hashes.slice(0, half)), foldPairs(hashes.slice(half)))
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
