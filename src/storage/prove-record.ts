import type { DatabaseSync } from 'node:sqlite'
import { inclusionProof, nodeHash, type RecordProof, type SubtreeReader } from '../audit/index.ts'
import { seqOfRecordId } from './record-id.ts'

const tileHeight = 8

/** Proof of a record's place under the newest checkpoint, `null` where there is no such record. @throws SQLite's own errors */
export function proveRecord(database: DatabaseSync, recordId: string): RecordProof | null {
  const record = database
    .prepare('SELECT log, namespace, idx, leaf_hash FROM records JOIN logs USING (log) WHERE seq = ? AND id = ?')
    .get(seqOfRecordId(recordId), recordId)
  if (record === undefined) return null
  const log = Number(record['log'])
  const index = Number(record['idx'])
  const newest = database
    .prepare('SELECT size, note FROM checkpoints WHERE log = ? ORDER BY size DESC LIMIT 1')
    .get(log)
  const covered = newest !== undefined && Number(newest['size']) > index
  return {
    namespace: String(record['namespace']),
    index,
    leafHash: base64(record['leaf_hash'] as Uint8Array),
    checkpoint: covered ? { size: Number(newest['size']), note: String(newest['note']) } : null,
    inclusion: covered ? inclusionProof(storedSubtrees(database, log), index, Number(newest['size'])).map(base64) : [],
  }
}

/** Hashes of complete subtrees from what is stored: leaf hashes, and the roots of full tiles. At most 255 rows a hash. */
function storedSubtrees(database: DatabaseSync, log: number): SubtreeReader {
  const leaves = database.prepare(
    'SELECT leaf_hash AS hash FROM records WHERE log = ? AND idx >= ? AND idx < ? ORDER BY idx',
  )
  const roots = database.prepare(
    'SELECT root AS hash FROM tiles WHERE log = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx',
  )
  return (level, index) => {
    const tileLevel = Math.floor(level / tileHeight)
    const count = 2 ** (level % tileHeight)
    const [from, to] = [index * count, (index + 1) * count]
    const rows = tileLevel === 0 ? leaves.all(log, from, to) : roots.all(log, tileLevel - 1, from, to)
    if (rows.length !== count) throw new RangeError('the stored tree has no such subtree')
    return foldPairs(rows.map((row) => row['hash'] as Uint8Array))
  }
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
