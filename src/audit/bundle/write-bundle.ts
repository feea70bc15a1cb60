import type { AuditReader, TreeRow } from '../audit-reader.ts'
import { checkpointOrigin } from '../checkpoint.ts'
import { LogTree } from '../log-tree.ts'
import { readKeys } from '../key-succession.ts'
import { treeKeyLine } from '../signed-note.ts'
import { cosignedNote, type CosignatureStore } from '../witness/cosignature-store.ts'
import { keyChangesFile, treeFiles, treesFile, type BundleTarget } from './bundle-files.ts'
import { bundledPath, type BundledTree } from './bundled-tree.ts'
import { RecordPages } from './record-pages.ts'
import { tilePath } from './tile-path.ts'

const pageRows = 1000

/** What was written, or why nothing was. */
export type BundleOutcome =
  | {
      readonly ok: true
      readonly trees: number
      readonly records: number
      readonly gone: number
      readonly checkpoints: number
    }
  | { readonly ok: false; readonly reason: 'no-key' | 'no-log' }

/** A tree with its signed checkpoints, the smallest first. */
interface SignedTree {
  readonly row: TreeRow
  readonly notes: readonly { readonly size: number; readonly note: string }[]
}

/**
 * Writes the log of a namespace, as far as it is signed, in files that other tools read: a directory for each of its
 * trees with records, tiles and checkpoints, these with the cosignatures that are kept of them. No bodies. Does not verify: what was tampered with is written as it lies
 * there, and found by whoever verifies it. Records newer than the newest checkpoint are left for the next time.
 */
export async function writeBundle(
  reader: AuditReader,
  namespace: string,
  target: BundleTarget,
  cosignatures: Pick<CosignatureStore, 'list'> = { list: async () => [] },
): Promise<BundleOutcome> {
  const line = await reader.publicKeyLine()
  const logId = line === null ? undefined : readKeys(line)?.[0]?.name.split('/')[1]
  if (line === null || logId === undefined) return { ok: false, reason: 'no-key' }
  const trees = await signedTrees(reader, namespace, cosignatures)
  if (trees.length === 0) return { ok: false, reason: 'no-log' }
  const rows = new RecordPages(reader, namespace)
  const written: BundledTree[] = []
  const gone = { count: 0 }
  for (const tree of trees) {
    const size = await writeTree(target, tree, rows, (origin) => treeKeyLine(line, origin) ?? '', logId, gone)
    written.push({ period: tree.row.period, first_index: tree.row.firstIndex, size })
  }
  const changes = await reader.keyChanges()
  await target.append(
    keyChangesFile,
    changes.map((change) => JSON.stringify(change)),
  )
  const lines = written.map((tree) => JSON.stringify(tree))
  await target.append(treesFile, lines)
  return {
    ok: true,
    trees: trees.length,
    records: written.reduce((sum, { size }) => sum + size, 0),
    gone: gone.count,
    checkpoints: trees.reduce((sum, { notes }) => sum + notes.length, 0),
  }
}

/** Writes the files of one tree; gives the number of its records. */
async function writeTree(
  target: BundleTarget,
  { row, notes }: SignedTree,
  rows: RecordPages,
  keysOf: (origin: string) => string,
  logId: string,
  gone: { count: number },
): Promise<number> {
  const newest = notes.at(-1)
  if (newest === undefined) throw new RangeError('a tree without a checkpoint')
  const path = (file: string) => bundledPath(row.period, file)
  const origin = checkpointOrigin(logId, row.namespace ?? '', row.period)
  await target.write(path(treeFiles.key), `${keysOf(origin)}\n`)
  const tree = new LogTree()
  for await (const records of rows.upTo(row.firstIndex + newest.size)) {
    const lines = records.map(({ text }) => text)
    gone.count += lines.filter((text) => text === '').length
    await target.append(path(treeFiles.records), lines)
    for (const { leaf } of records) {
      for (const { level, index, hashes } of tree.append(leaf))
        await target.write(path(tilePath(level, index, hashes)), hashes)
    }
  }
  for (const { level, index, hashes } of tree.partialTiles())
    await target.write(path(tilePath(level, index, hashes)), hashes)
  const texts = notes.map(({ note }) => JSON.stringify(note))
  await target.append(path(treeFiles.checkpoints), texts)
  await target.write(path(treeFiles.checkpoint), newest.note)
  return tree.size
}

/** The namespace's trees that have a signed checkpoint, oldest first. */
async function signedTrees(
  reader: AuditReader,
  namespace: string,
  cosignatures: Pick<CosignatureStore, 'list'>,
): Promise<SignedTree[]> {
  const rows = (await reader.trees()).filter((row) => row.namespace === namespace)
  const trees = new Map(rows.map((row) => [row.period, { row, notes: [] as { size: number; note: string }[] }]))
  for (let ordinal = 1; ;) {
    const page = await reader.checkpoints(ordinal, pageRows)
    for (const { namespace: of, period, size, note } of page)
      if (of === namespace) trees.get(period)?.notes.push({ size, note })
    const last = page.at(-1)
    if (last === undefined) break
    ordinal = last.ordinal + 1
  }
  for (const { row, notes } of trees.values()) {
    const kept = await cosignatures.list(namespace, row.period)
    for (const one of notes) one.note = cosignedNote(one, kept)
    notes.sort((one, other) => one.size - other.size)
  }
  const signed = [...trees.values()].filter(({ notes }) => notes.length > 0)
  return signed.toSorted((one, other) => one.row.firstIndex - other.row.firstIndex)
}
