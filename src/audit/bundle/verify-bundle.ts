import type { RecordRow } from '../audit-reader.ts'
import { openCheckpoint, type Checkpoint } from '../checkpoint.ts'
import { LogTree, tileWidth, type FullTile } from '../log-tree.ts'
import { leafHash, treeHashBytes } from '../rfc6962.ts'
import { openNote, parseVerifierKey, type NoteVerifier } from '../signed-note.ts'
import { readEnvelope } from '../stored-envelope.ts'
import { CallCheck } from '../verify-calls.ts'
import { Findings, type VerifyCount, type VerifyProblem } from '../verify-report.ts'
import { bundleFiles, type BundleSource } from './bundle-files.ts'
import { tilePath } from './tile-path.ts'

const maxNoteBytes = 64 * 1024
const maxRecordLength = 16 * 1024 * 1024
/** What is wrong with a bundle as a whole is said after what is wrong with one record. */
const atEnd = Number.MAX_SAFE_INTEGER

/** What verifying a bundle found. */
export interface BundleReport {
  readonly ok: boolean
  /** `null` where there is no checkpoint that the key signed. */
  readonly namespace: string | null
  /** Records that the newest checkpoint covers. */
  readonly size: number
  readonly records: Readonly<VerifyCount>
  readonly checkpoints: Readonly<VerifyCount>
  readonly tiles: Readonly<VerifyCount>
  /** Allowed calls without an outcome at the end of the bundle. */
  readonly unfinished: number
  /** The first twenty, in the order of the log. */
  readonly problems: readonly VerifyProblem[]
}

/**
 * Checks a bundle with nothing but the log's verifier key: every record's text against the tree, every tile, every
 * signed checkpoint (so that each of them continues those before it), the order of writing, and decisions against
 * outcomes. Checkpoints that were kept elsewhere must be of this log too.
 * Does not show that the log goes no further than the bundle, nor that others were shown the same checkpoints.
 */
export async function verifyBundle(
  source: BundleSource,
  publicKeyLine: string,
  keptCheckpoints: readonly string[] = [],
): Promise<BundleReport> {
  const findings = new Findings()
  const key = parseVerifierKey(publicKeyLine)
  const note = await source.read(bundleFiles.checkpoint, maxNoteBytes)
  const newest = key === null || note === null ? null : openSigned(Buffer.from(note).toString('utf8'), key)
  if (newest === null) {
    findings.head(0, headProblem(key, note))
    return reportOf(findings, null, 0, 0)
  }
  const namespace = newest.verifier.name.split('/').at(-1) ?? ''
  const check = new BundleCheck(source, findings, namespace)
  for await (const text of source.lines(bundleFiles.checkpoints, maxNoteBytes)) check.expect(text, newest.verifier)
  for (const kept of keptCheckpoints) check.expect(JSON.stringify(kept), newest.verifier)
  check.expectNewest(newest.checkpoint)
  for await (const text of source.lines(bundleFiles.records, maxRecordLength)) await check.take(text)
  await check.finish(newest.checkpoint.size)
  return reportOf(findings, namespace, newest.checkpoint.size, check.unfinished)
}

function headProblem(key: NoteVerifier | null, note: Uint8Array | null): string {
  if (key === null) return "The log's public key is malformed."
  if (note === null) return 'There is no checkpoint: this is no bundle, or it was not written to its end.'
  return "The checkpoint bears no good signature by the log's key."
}

/** The key may be that of the log (`mcpworks/<id>`) or of one namespace's log (`mcpworks/<id>/<namespace>`). */
function openSigned(note: string, key: NoteVerifier): { checkpoint: Checkpoint; verifier: NoteVerifier } | null {
  const origin = note.slice(0, note.indexOf('\n'))
  if (origin !== key.name && !origin.startsWith(`${key.name}/`)) return null
  const verifier = { name: origin, publicKey: key.publicKey }
  const checkpoint = openCheckpoint(note, verifier)
  return checkpoint === null ? null : { checkpoint, verifier }
}

class BundleCheck {
  readonly #source: BundleSource
  readonly #findings: Findings
  readonly #namespace: string
  readonly #calls: CallCheck
  readonly #tree = new LogTree()
  readonly #roots = new Map<number, { readonly root: Uint8Array; readonly stated: string }[]>()
  #recent: Uint8Array[] = []
  #lastSeq = -1
  #largest = 0
  /** Once a root or tile differs all later ones do, and say nothing new. */
  #broken = false

  constructor(source: BundleSource, findings: Findings, namespace: string) {
    this.#source = source
    this.#findings = findings
    this.#namespace = namespace
    this.#calls = new CallCheck(findings)
  }

  get unfinished(): number {
    return this.#calls.unfinished
  }

  /** Takes a checkpoint as JSON text of its note. */
  expect(json: string, verifier: NoteVerifier): void {
    this.#findings.checkpoints.checked += 1
    const note = parseString(json)
    const checkpoint = note === null || openNote(note, verifier) === null ? null : openCheckpoint(note, verifier)
    const where = { namespace: this.#namespace, index: null, id: null }
    if (checkpoint === null || checkpoint.origin !== verifier.name)
      return this.#findings.checkpoint(atEnd, {
        ...where,
        problem: 'A checkpoint bears no good signature by the key of this log.',
      })
    this.#expectRoot(checkpoint, `The signed checkpoint of ${checkpoint.size} records`)
  }

  expectNewest(checkpoint: Checkpoint): void {
    this.#largest = checkpoint.size
    this.#findings.checkpoints.checked += 1
    this.#expectRoot(checkpoint, 'The newest checkpoint')
  }

  #expectRoot({ size, root }: Checkpoint, stated: string): void {
    const roots = this.#roots.get(size) ?? []
    roots.push({ root, stated })
    this.#roots.set(size, roots)
  }

  /** Takes the next record's text. */
  async take(text: string): Promise<void> {
    const index = this.#tree.size
    this.#findings.records.checked += 1
    if (index === 0) this.#compareRoots()
    const leaf = leafHash(text)
    this.#judge(text, index)
    this.#recent.push(leaf)
    const full = this.#tree.append(leaf)
    for (const tile of full) await this.#compareTile(tile)
    this.#compareRoots()
    if (this.#recent.length === tileWidth) this.#recent = []
  }

  #judge(text: string, index: number): void {
    const envelope = readEnvelope(text)
    const problem = (sentence: string): void =>
      this.#findings.record(index, { namespace: this.#namespace, index, id: envelope?.id ?? null, problem: sentence })
    if (envelope === null) return problem('Its text is not a record.')
    if (envelope.namespace !== this.#namespace) return problem(`It is of the namespace ${envelope.namespace}.`)
    if (envelope.writer.seq <= this.#lastSeq) problem('It was written before the record that stands before it.')
    this.#lastSeq = Math.max(this.#lastSeq, envelope.writer.seq)
    this.#calls.take(rowOf(envelope, index, text), envelope)
  }

  async #compareTile({ level, index, hashes }: Omit<FullTile, 'root'>): Promise<void> {
    this.#findings.tiles.checked += 1
    const there = await this.#source.read(tilePath(level, index, hashes), hashes.length)
    if (there !== null && Buffer.compare(there, hashes) === 0) return
    if (level === 0 && !this.#broken && there?.length === hashes.length)
      this.#nameLeaf(index * tileWidth, there, hashes)
    const at = index * tileWidth ** (level + 1)
    const problem = there === null ? 'A tile is missing.' : 'A tile is not the one of these records.'
    this.#findings.tile(at, { namespace: this.#namespace, index: at, id: null, problem })
  }

  /** The first record that is another than the tile says. */
  #nameLeaf(first: number, there: Uint8Array, hashes: Uint8Array): void {
    for (let at = 0; at < hashes.length; at += treeHashBytes) {
      const [one, other] = [there, hashes].map((bytes) => bytes.subarray(at, at + treeHashBytes))
      if (one === undefined || other === undefined || Buffer.compare(one, other) === 0) continue
      const index = first + at / treeHashBytes
      const problem = 'It is not the record that was hashed into the log: changed, inserted, deleted or moved.'
      this.#findings.record(index, { namespace: this.#namespace, index, id: null, problem })
      return
    }
  }

  #compareRoots(): void {
    const { size } = this.#tree
    for (const { root, stated } of this.#roots.get(size) ?? []) {
      if (Buffer.compare(this.#tree.root(), root) === 0) continue
      if (this.#broken) {
        this.#findings.checkpoints.failed += 1
        continue
      }
      this.#broken = true
      const problem = `${stated} was signed over other records: one of those before it was changed, inserted, deleted or moved.`
      this.#findings.checkpoint(size, { namespace: this.#namespace, index: size - 1, id: null, problem })
    }
    this.#roots.delete(size)
  }

  async finish(size: number): Promise<void> {
    const found = this.#tree.size
    if (this.#tree.size === 0) this.#compareRoots()
    for (const tile of this.#tree.partialTiles()) await this.#compareTile(tile)
    if (found > size) this.#findings.head(atEnd - 1, `There are ${found - size} records that no signature covers.`)
    if (found < size)
      this.#findings.head(atEnd - 1, `The newest ${size - found} records are missing: the bundle was cut off.`)
    for (const [beyond] of this.#roots) {
      const problem =
        beyond > this.#largest
          ? `A checkpoint of ${beyond} records was signed, and this bundle has ${this.#largest}: the log was put back, or the bundle is older.`
          : `The records of the checkpoint of ${beyond} are not all there.`
      this.#findings.checkpoint(atEnd, { namespace: this.#namespace, index: null, id: null, problem })
    }
  }
}

function rowOf(envelope: NonNullable<ReturnType<typeof readEnvelope>>, index: number, json: string): RecordRow {
  const { id, kind, call, namespace, principal } = envelope
  return { seq: index, namespace, index, id, timeMs: 0, kind, call, principal, leafHash: new Uint8Array(), json }
}

function parseString(json: string): string | null {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'string' ? value : null
  } catch {
    // Not JSON: not a checkpoint.
    return null
  }
}

function reportOf(findings: Findings, namespace: string | null, size: number, unfinished: number): BundleReport {
  const { ok, records, checkpoints, tiles } = findings
  return { ok, namespace, size, records, checkpoints, tiles, unfinished, problems: findings.problems().slice(0, 20) }
}
