import { z } from 'zod'
import type { AuditReader } from './audit-reader.ts'
import { RecordPages } from './bundle/record-pages.ts'
import { checkpointOrigin, readCheckpoint, treeOfOrigin, type Checkpoint } from './checkpoint.ts'
import { keySuccession, signersOf, type KeySuccession } from './key-succession.ts'
import { readPeriodEvent } from './period-event.ts'
import { leafHash, verifyConsistency } from './rfc6962.ts'
import { storedConsistency, storedRoot, type PlacedTree } from './stored-consistency.ts'
import { readEnvelope } from './stored-envelope.ts'

const type = 'mcpworks-consistency-proof'
const hashes = z.array(z.base64().length(44)).max(64)

const consistencySchema = z.strictObject({
  type: z.literal(type),
  v: z.literal(1),
  /** Signed notes. */
  from: z.string().max(64 * 1024),
  to: z.string().max(64 * 1024),
  /** From the tree of `from` to the one before that of `to`: how it grew until it was closed, and the record that says so. */
  closed: z.array(z.strictObject({ consistency: hashes, record: z.string().max(64 * 1024) })).max(1200),
  /** In the tree of `to`. */
  consistency: hashes,
  /** Statements of the changes of the log's key, oldest first. */
  key_changes: z.array(z.string().max(4096)).max(10_000),
})

/** Shows that one checkpoint of a namespace continues another, over the trees between them. */
export type ConsistencyProof = z.output<typeof consistencySchema>

/** A proof, or why there is none. */
export type ConsistencyOutcome =
  | { readonly ok: true; readonly proof: ConsistencyProof }
  | { readonly ok: false; readonly problem: string }

/** What a proof shows, or what in it is not so. */
export type ConsistencyVerdict =
  | {
      readonly ok: true
      readonly from: Pick<Checkpoint, 'origin' | 'size'>
      readonly to: Pick<Checkpoint, 'origin' | 'size'>
    }
  | { readonly ok: false; readonly problem: string }

/**
 * Makes the proof between two checkpoints of one namespace from a stored log. Where they are of different trees all
 * records of the namespace between are read. Where the log is not a continuation of one of them, that one is of a fork.
 */
export async function proveConsistency(reader: AuditReader, from: string, to: string): Promise<ConsistencyOutcome> {
  const lines = await reader.publicKeyLine()
  const keyChanges = await reader.keyChanges()
  const keys = lines === null ? null : keySuccession(lines, keyChanges)
  if (keys === null || !keys.ok) return wrong(keys === null ? "The log's public key is missing." : keys.problem)
  const [first, second] = [openSigned(keys.succession, 0, from), openSigned(keys.succession, 0, to)]
  if (first === null || second === null)
    return wrong('One of the checkpoints bears no good signature by a key of this log.')
  if (first.tree.namespace !== second.tree.namespace) return wrong('The checkpoints are of different namespaces.')
  for (const { checkpoint, tree } of [first, second]) {
    const root = await rootOrNull(reader, tree, checkpoint.size)
    if (root === null || Buffer.compare(root, checkpoint.root) !== 0)
      return wrong(
        `FORK: the checkpoint of ${checkpoint.size} records of ${checkpoint.origin} was signed over other records than this log has.`,
      )
  }
  const trees = (await reader.trees()).filter(({ namespace }) => namespace === first.tree.namespace)
  const start = trees.findIndex(({ period }) => period === first.tree.period)
  const end = trees.findIndex(({ period }) => period === second.tree.period)
  if (start > end || (start === end && first.checkpoint.size > second.checkpoint.size))
    return wrong('The first checkpoint is the newer one.')
  const pages = new RecordPages(reader, first.tree.namespace)
  const closed: ConsistencyProof['closed'] = []
  let size = first.checkpoint.size
  for (const [at, tree] of trees.slice(start, end).entries()) {
    const next = trees[start + at + 1]
    if (next === undefined) break
    const consistency = await storedConsistency(
      reader,
      { ...first.tree, period: tree.period },
      size,
      next.firstIndex - tree.firstIndex,
    )
    closed.push({ consistency: consistency.map(base64), record: await recordAt(pages, next.firstIndex) })
    size = 1
  }
  const consistency = (await storedConsistency(reader, second.tree, size, second.checkpoint.size)).map(base64)
  return { ok: true, proof: { type, v: 1, from, to, closed, consistency, key_changes: keyChanges } }
}

/**
 * Checks a proof with nothing but the log's verifier key lines. `from` and `to`, where given, are checkpoints that must be
 * those of the proof: whoever kept them compares what was proven with what they were shown. Never throws for what the file holds.
 */
export function checkConsistency(
  text: string,
  publicKeyLines: string,
  kept: { readonly from?: string; readonly to?: string } = {},
): ConsistencyVerdict {
  const file = readFile(text)
  if (file === null) return wrong('This is not a proof that "mcpworks audit prove-consistency" makes.')
  const keys = keySuccession(publicKeyLines, file.key_changes)
  if (!keys.ok) return wrong(keys.problem)
  const { succession } = keys
  const [first, second] = [file.from, file.to].map((note) => openSigned(succession, succession.given, note))
  if (first === null || first === undefined || second === null || second === undefined)
    return wrong("A checkpoint bears no good signature by the log's key.")
  if (differs(kept.from, first.checkpoint) || differs(kept.to, second.checkpoint))
    return wrong('The proof is of other checkpoints than those that were kept.')
  if (first.tree.namespace !== second.tree.namespace) return wrong('The checkpoints are of different namespaces.')
  let current = first.checkpoint
  for (const [at, { consistency, record }] of file.closed.entries()) {
    const envelope = readEnvelope(record)
    const event = envelope?.kind === 'period' ? readPeriodEvent(envelope.event) : null
    if (event === null || envelope?.namespace !== first.tree.namespace)
      return wrong(`Record ${at} closes no tree of the namespace.`)
    if (event.previous.origin !== current.origin || !verifyConsistency(current, event.previous, consistency.map(bytes)))
      return wrong(`FORK: the tree ${event.previous.origin} was not closed as a continuation of what came before.`)
    // The record is the new tree's first leaf: that it is in what follows is that what follows continues this tree of one.
    const origin = checkpointOrigin(succession.logId, envelope.namespace, event.period)
    current = { origin, size: 1, root: leafHash(record) }
  }
  const { checkpoint } = second
  if (current.origin !== checkpoint.origin || !verifyConsistency(current, checkpoint, file.consistency.map(bytes)))
    return wrong(
      `FORK: the checkpoint of ${checkpoint.size} records is not shown to continue the one of ${first.checkpoint.size}.`,
    )
  const nameOf = ({ origin, size }: Checkpoint) => ({ origin, size })
  return { ok: true, from: nameOf(first.checkpoint), to: nameOf(checkpoint) }
}

/** A checkpoint that a key of the log from a place in the succession on signed. Never of the empty tree: it says nothing. */
function openSigned(
  succession: KeySuccession,
  fromKey: number,
  note: string,
): { checkpoint: Checkpoint; tree: PlacedTree } | null {
  const checkpoint = readCheckpoint(note)
  const tree = checkpoint === null ? null : treeOfOrigin(succession.logId, checkpoint.origin)
  if (checkpoint === null || tree === null || checkpoint.size === 0) return null
  return signersOf(succession, checkpoint.origin, note).some((key) => key >= fromKey) ? { checkpoint, tree } : null
}

function differs(kept: string | undefined, { origin, size, root }: Checkpoint): boolean {
  if (kept === undefined) return false
  const other = readCheckpoint(kept)
  return other?.origin !== origin || other.size !== size || Buffer.compare(other.root, root) !== 0
}

async function rootOrNull(reader: AuditReader, tree: PlacedTree, size: number): Promise<Uint8Array | null> {
  try {
    return await storedRoot(reader, tree, size)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

async function recordAt(pages: RecordPages, index: number): Promise<string> {
  for await (const records of pages.upTo(index)) void records
  for await (const records of pages.upTo(index + 1)) return records[0]?.text ?? ''
  return ''
}

function readFile(text: string): ConsistencyProof | null {
  try {
    const parsed = consistencySchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch {
    // Not JSON: not a proof.
    return null
  }
}

function base64(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64')
}

function bytes(hash: string): Uint8Array {
  return Buffer.from(hash, 'base64')
}

function wrong(problem: string): { ok: false; problem: string } {
  return { ok: false, problem }
}
