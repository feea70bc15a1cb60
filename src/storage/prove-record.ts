import type { DatabaseSync } from 'node:sqlite'
import { inclusionProof, type RecordProof } from '../audit/index.ts'
import { seqOfRecordId } from './record-id.ts'
import { storedSubtrees } from './stored-subtrees.ts'

/** Proof of a record's place under its tree's newest checkpoint, `null` where there is no such record. @throws SQLite's own errors */
export function proveRecord(database: DatabaseSync, recordId: string): RecordProof | null {
  const record = database
    .prepare('SELECT log, namespace, idx, leaf_hash FROM records JOIN logs USING (log) WHERE seq = ? AND id = ?')
    .get(seqOfRecordId(recordId), recordId)
  if (record === undefined) return null
  const log = Number(record['log'])
  const index = Number(record['idx'])
  const tree = database
    .prepare(
      'SELECT tree, period, first_idx FROM trees WHERE log = ? AND first_idx <= ? ORDER BY first_idx DESC LIMIT 1',
    )
    .get(log, index)
  if (tree === undefined) throw new RangeError('a record that is in no tree')
  const firstIndex = Number(tree['first_idx'])
  const leafIndex = index - firstIndex
  const newest = database
    .prepare('SELECT size, note FROM checkpoints WHERE tree = ? ORDER BY size DESC LIMIT 1')
    .get(Number(tree['tree']))
  const place = {
    namespace: String(record['namespace']),
    index,
    period: String(tree['period']),
    leafIndex,
    leafHash: base64(record['leaf_hash'] as Uint8Array),
  }
  const size = Number(newest?.['size'] ?? 0)
  if (newest === undefined || size <= leafIndex) return { ...place, checkpoint: null, inclusion: [] }
  const subtrees = storedSubtrees(database, { log, tree: Number(tree['tree']), firstIndex })
  const inclusion = inclusionProof(subtrees, leafIndex, size).map(base64)
  return { ...place, checkpoint: { size, note: String(newest['note']) }, inclusion }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
