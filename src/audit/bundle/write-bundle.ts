import type { AuditReader } from '../audit-reader.ts'
import { checkpointOrigin } from '../checkpoint.ts'
import { LogTree } from '../log-tree.ts'
import { leafHash } from '../rfc6962.ts'
import { parseVerifierKey, verifierKey } from '../signed-note.ts'
import { bundleFiles, type BundleTarget } from './bundle-files.ts'
import { tilePath } from './tile-path.ts'

const pageRows = 1000

/** What was written, or why nothing was. */
export type BundleOutcome =
  | { readonly ok: true; readonly records: number; readonly checkpoints: number }
  | { readonly ok: false; readonly reason: 'no-key' | 'no-log' }

/**
 * Writes the log of a namespace, as far as it is signed, in files that other tools read: records, tiles and checkpoints.
 * No bodies. Does not verify: what was tampered with is written as it lies there, and found by whoever verifies it.
 * Records newer than the newest checkpoint are left for the next time.
 */
export async function writeBundle(
  reader: AuditReader,
  namespace: string,
  target: BundleTarget,
): Promise<BundleOutcome> {
  const line = await reader.publicKeyLine()
  const key = line === null ? null : parseVerifierKey(line)
  if (key === null) return { ok: false, reason: 'no-key' }
  const notes = await notesOf(reader, namespace)
  const newest = notes.at(-1)
  if (newest === undefined) return { ok: false, reason: 'no-log' }
  const logId = key.name.replace(/^mcpworks\//, '')
  const origin = checkpointOrigin(logId, namespace)
  await target.write(bundleFiles.key, `${verifierKey({ name: origin, publicKey: key.publicKey })}\n`)
  const tree = new LogTree()
  for await (const texts of pagesOf(reader, namespace, newest.size)) {
    await target.append(bundleFiles.records, texts)
    for (const text of texts) {
      for (const { level, index, hashes } of tree.append(leafHash(text)))
        await target.write(tilePath(level, index, hashes), hashes)
    }
  }
  for (const { level, index, hashes } of tree.partialTiles()) await target.write(tilePath(level, index, hashes), hashes)
  const texts = notes.map(({ note }) => JSON.stringify(note))
  await target.append(bundleFiles.checkpoints, texts)
  // Last: a bundle that was cut off while it was written has no checkpoint, and proves nothing.
  await target.write(bundleFiles.checkpoint, newest.note)
  return { ok: true, records: tree.size, checkpoints: notes.length }
}

async function notesOf(reader: AuditReader, namespace: string): Promise<{ size: number; note: string }[]> {
  const notes: { size: number; note: string }[] = []
  for (let ordinal = 1; ;) {
    const rows = await reader.checkpoints(ordinal, pageRows)
    notes.push(...rows.filter((row) => row.namespace === namespace))
    const last = rows.at(-1)
    if (last === undefined) return notes.toSorted((one, other) => one.size - other.size)
    ordinal = last.ordinal + 1
  }
}

/** The texts of the first `size` records of a namespace. */
async function* pagesOf(reader: AuditReader, namespace: string, size: number): AsyncIterable<string[]> {
  let left = size
  for (let next = 0; left > 0;) {
    const rows = await reader.records(next, pageRows)
    const last = rows.at(-1)
    if (last === undefined) return
    next = last.seq + 1
    const own = rows.filter((row) => row.namespace === namespace).slice(0, left)
    left -= own.length
    // A text that was tampered with may hold line ends: written as it is, it would be two records.
    yield own.map(({ json }) => json.replaceAll(/[\r\n]/g, ' '))
  }
}
