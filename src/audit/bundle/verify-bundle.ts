import type { RecordRow } from '../audit-reader.ts'
import { checkpointOrigin, readCheckpoint, treeOfOrigin, type Checkpoint } from '../checkpoint.ts'
import { readKeyChangeEvent } from '../key-change.ts'
import { keySuccession, signersOf, type KeySuccession } from '../key-succession.ts'
import { readPeriodEvent } from '../period-event.ts'
import type { WitnessDemand } from '../call-proof.ts'
import { readEnvelope, type StoredEnvelope } from '../stored-envelope.ts'
import { CallCheck } from '../verify-calls.ts'
import { countWitnesses } from '../witness/cosignature.ts'
import { Findings, type VerifyCount, type VerifyProblem } from '../verify-report.ts'
import { keyChangesFile, treeFiles, treesFile, type BundleSource } from './bundle-files.ts'
import { bundledPath, readBundledTree, type BundledTree } from './bundled-tree.ts'
import { BundledRemovals } from './bundled-removals.ts'
import { BundledTreeCheck } from './bundled-tree-check.ts'

const maxNoteBytes = 64 * 1024
const maxRecordLength = 16 * 1024 * 1024
/** What is wrong with a bundle as a whole is said after what is wrong with one record. */
const atEnd = Number.MAX_SAFE_INTEGER

/** What verifying a bundle found. */
export interface BundleReport {
  readonly ok: boolean
  /** `null` where there is no checkpoint that the key signed. */
  readonly namespace: string | null
  /** Records that the newest checkpoints cover. */
  readonly size: number
  /** The trees, oldest first. */
  readonly trees: readonly { readonly period: string; readonly size: number }[]
  readonly records: Readonly<VerifyCount>
  readonly checkpoints: Readonly<VerifyCount>
  readonly tiles: Readonly<VerifyCount>
  /** Texts that were let go, as records of the bundle say. */
  readonly removedTexts: number
  /** Allowed calls without an outcome at the end of the bundle. */
  readonly unfinished: number
  /** How many records, from the first on, as many witnesses saw as are demanded; `null` where none are. */
  readonly witnessed: number | null
  /** The first twenty, in the order of the log. */
  readonly problems: readonly VerifyProblem[]
}

/**
 * Checks a bundle with nothing but the log's verifier keys: every record's text against its tree, every tile, every
 * signed checkpoint (so that each of them continues those before it), that each tree names the one before it, the order
 * of writing, and decisions against outcomes. Checkpoints that were kept elsewhere must be of this log too. Where witnesses
 * are demanded, enough of them must have cosigned a checkpoint of the bundle, or one that was kept: what comes before it,
 * in its tree and those before, is what they saw too.
 * Does not show that the log goes no further than the bundle, nor that others were shown the same checkpoints.
 */
export async function verifyBundle(
  source: BundleSource,
  publicKeyLines: string,
  keptCheckpoints: readonly string[] = [],
  demand: WitnessDemand = { witnesses: [], quorum: 0 },
): Promise<BundleReport> {
  const changes: string[] = []
  for await (const line of source.lines(keyChangesFile, maxNoteBytes)) changes.push(parseString(line) ?? '')
  const keys = keySuccession(publicKeyLines, changes)
  if (!keys.ok) {
    const findings = new Findings()
    findings.head(0, keys.problem)
    return reportOf(findings, { namespace: null, trees: [], unfinished: 0, witnessed: demand.quorum === 0 ? null : 0 })
  }
  const check = new BundleCheck(source, keys.succession, demand)
  let trees = 0
  for await (const line of source.lines(treesFile, maxNoteBytes)) {
    trees += 1
    const tree = readBundledTree(line)
    if (tree === null) check.findings.head(0, `Line ${trees} of ${treesFile} is malformed.`)
    else await check.takeTree(tree, keptCheckpoints)
  }
  if (trees === 0)
    check.findings.head(0, `There is no ${treesFile}: this is no bundle, or it was not written to its end.`)
  check.finish(keptCheckpoints)
  return check.report()
}

/** The tree that was read last, as it was found. */
interface FormerTree extends Checkpoint {
  readonly period: string
}

class BundleCheck {
  readonly findings = new Findings()
  readonly #source: BundleSource
  readonly #succession: KeySuccession
  readonly #removals = new BundledRemovals(this.findings)
  readonly #calls = new CallCheck(this.findings, (_, call) => this.#removals.lonelyEnd(call, this.#nextIndex))
  readonly #trees: { period: string; size: number }[] = []
  #namespace: string | null = null
  #former: FormerTree | null = null
  #nextIndex = 0
  /** By writer: each counts its own records, and servers that follow one another on a database are several. */
  readonly #lastSeq = new Map<string, number>()
  /** Place in the succession of the key that is in force. */
  #key = 0

  readonly #demand: WitnessDemand
  #witnessed = 0

  constructor(source: BundleSource, succession: KeySuccession, demand: WitnessDemand) {
    this.#source = source
    this.#succession = succession
    this.#demand = demand
  }

  /** Reads one tree and checks it. */
  async takeTree({ period, first_index: firstIndex }: BundledTree, kept: readonly string[]) {
    const newest = await this.#newest(period)
    if (newest === null) return
    const { namespace } = newest
    const follows = this.#former === null ? firstIndex === 0 : period > this.#former.period
    if (!follows || firstIndex !== this.#nextIndex)
      this.findings.head(this.#nextIndex, `The tree of the period ${period} does not follow the one before it.`)
    const tree = new BundledTreeCheck(this.#source, this.findings, { namespace, period, firstIndex: this.#nextIndex })
    const path = bundledPath(period, treeFiles.checkpoints)
    for await (const text of this.#source.lines(path, maxNoteBytes)) this.#expect(tree, parseString(text), newest)
    for (const note of kept) if (note.startsWith(`${newest.origin}\n`)) this.#expect(tree, note, newest)
    this.findings.checkpoints.checked += 1
    tree.expectNewest(newest.checkpoint, newest.signedBy)
    this.#noteWitnesses(newest.note, newest.checkpoint)
    const records = this.#source.lines(bundledPath(period, treeFiles.records), maxRecordLength)
    for await (const text of records) {
      this.findings.records.checked += 1
      this.#judge(text, { namespace, period, isFirst: tree.size === 0 })
      await tree.take(text, { key: this.#key, isNew: false })
      this.#nextIndex += 1
    }
    await tree.finish()
    this.#trees.push({ period, size: newest.checkpoint.size })
    this.#former = { origin: newest.origin, size: tree.size, root: tree.root(), period }
  }

  /** After the last tree: what was kept elsewhere must be of one that is there. */
  finish(kept: readonly string[]): void {
    this.#removals.finish()
    const { quorum } = this.#demand
    if (this.#witnessed === 0 && quorum > 0)
      this.findings.head(
        atEnd,
        `No checkpoint here, and none that was kept, is cosigned by ${quorum} of the named witnesses.`,
      )
    const { changes } = this.#succession
    if (this.#key < changes.length)
      this.findings.head(
        atEnd,
        `Key change ${this.#key + 1} is in no record: the bundle is older, or a key was put in.`,
      )
    for (const note of kept) {
      const origin = originOf(note)
      const place = treeOfOrigin(this.#succession.logId, origin)
      const where = { namespace: this.#namespace, index: null, id: null }
      const isGood = signersOf(this.#succession, origin, note).length > 0
      if (place === null || !isGood || place.namespace !== this.#namespace) {
        const problem = 'A checkpoint that was kept elsewhere bears no good signature by the key of this log.'
        this.findings.checkpoint(atEnd, { ...where, problem })
      } else if (!this.#trees.some(({ period }) => period === place.period)) {
        const problem = `A checkpoint of the period ${place.period} was signed, and this bundle has no such tree: the log was put back, or the bundle is older.`
        this.findings.checkpoint(atEnd, { ...where, problem })
      }
    }
  }

  report(): BundleReport {
    const { unfinished } = this.#calls
    const witnessed = this.#demand.quorum === 0 ? null : this.#witnessed
    return reportOf(this.findings, { namespace: this.#namespace, trees: this.#trees, unfinished, witnessed })
  }

  /** The newest checkpoint of a tree; `null` where it is not one that the key signed, which is then said. */
  async #newest(period: string) {
    const note = await this.#source.read(bundledPath(period, treeFiles.checkpoint), maxNoteBytes)
    if (note === null) {
      this.findings.head(0, `There is no checkpoint of the period ${period}: the bundle was not written to its end.`)
      return null
    }
    const text = Buffer.from(note).toString('utf8')
    const namespace = this.#namespace ?? treeOfOrigin(this.#succession.logId, originOf(text))?.namespace ?? ''
    const origin = checkpointOrigin(this.#succession.logId, namespace, period)
    const checkpoint = readCheckpoint(text)
    const signedBy = signersOf(this.#succession, origin, text)
    if (checkpoint?.origin !== origin || signedBy.length === 0) {
      this.findings.head(0, "The checkpoint bears no good signature by the log's key, or is one of another tree.")
      return null
    }
    this.#namespace = namespace
    return { namespace, checkpoint, origin, signedBy, note: text }
  }

  #expect(tree: BundledTreeCheck, note: string | null, { namespace, origin }: { namespace: string; origin: string }) {
    this.findings.checkpoints.checked += 1
    const checkpoint = note === null ? null : readCheckpoint(note)
    const signedBy = note === null ? [] : signersOf(this.#succession, origin, note)
    if (note !== null && checkpoint?.origin === origin && signedBy.length > 0) {
      this.#noteWitnesses(note, checkpoint)
      return tree.expect(checkpoint, signedBy, `The signed checkpoint of ${checkpoint.size} records`)
    }
    const problem = 'A checkpoint bears no good signature by the key of this log.'
    this.findings.checkpoint(atEnd, { namespace, index: null, id: null, problem })
  }

  /** Before the records of its tree are read: whether they are those that it covers is found out then. */
  #noteWitnesses(note: string, { size }: Checkpoint): void {
    const { witnesses, quorum } = this.#demand
    const records = this.#nextIndex + size
    if (quorum === 0 || records <= this.#witnessed || countWitnesses(note, witnesses) < quorum) return
    this.#witnessed = records
  }

  #judge(text: string, { namespace, period, isFirst }: { namespace: string; period: string; isFirst: boolean }): void {
    const index = this.#nextIndex
    if (text === '') return this.#removals.missingText(namespace, index)
    const envelope = readEnvelope(text)
    const problem = (sentence: string): void =>
      this.findings.record(index, { namespace, index, id: envelope?.id ?? null, problem: sentence })
    if (envelope === null) return problem('Its text is not a record.')
    if (envelope.namespace !== namespace) return problem(`It is of the namespace ${envelope.namespace}.`)
    const { id: writer, seq } = envelope.writer
    const lastSeq = this.#lastSeq.get(writer) ?? -1
    if (seq <= lastSeq) problem('It was written before the record that stands before it.')
    this.#lastSeq.set(writer, Math.max(lastSeq, seq))
    if (isFirst || envelope.kind === 'period') this.#judgeLink(envelope, period, isFirst, problem)
    if (envelope.kind === 'key-change') this.#judgeKey(envelope, problem)
    this.#calls.take(rowOf(envelope, index, text), envelope)
    this.#removals.take(envelope)
  }

  /** A new key comes into force with the record that names it, where the key before it vouches for it. */
  #judgeKey(envelope: StoredEnvelope, problem: (sentence: string) => void): void {
    const event = readKeyChangeEvent(envelope.event)
    if (event === null || event.statement !== this.#succession.changes[event.number - 1])
      return problem("It names a key that the log's key did not vouch for.")
    if (event.number !== this.#key + 1) problem(`It is key change ${event.number}, and ${this.#key + 1} is next.`)
    this.#key = event.number
  }

  /** Each tree but the first begins with a record that names the one before it, and no other record does so. */
  #judgeLink(envelope: StoredEnvelope, period: string, isFirst: boolean, problem: (sentence: string) => void): void {
    const event = envelope.kind === 'period' ? readPeriodEvent(envelope.event) : null
    if (!isFirst) return problem('It begins a tree, but lies within one.')
    if (this.#former === null)
      return envelope.kind === 'period' ? problem('It closes a tree that is not in this bundle.') : undefined
    if (event === null || event.period !== period) return problem('It begins a tree, but closes none before it.')
    const { origin, size, root } = event.previous
    const former = this.#former
    if (origin === former.origin && size === former.size && Buffer.compare(root, former.root) === 0) return
    problem('It closes another tree than the one that lies before it: that one was changed.')
  }
}

function reportOf(
  findings: Findings,
  parts: Pick<BundleReport, 'namespace' | 'trees' | 'unfinished' | 'witnessed'>,
): BundleReport {
  const { ok, records, checkpoints, tiles } = findings
  const size = parts.trees.reduce((sum, tree) => sum + tree.size, 0)
  const removedTexts = findings.removed.texts
  return { ok, ...parts, size, records, checkpoints, tiles, removedTexts, problems: findings.problems().slice(0, 20) }
}

function originOf(note: string): string {
  return note.slice(0, note.indexOf('\n'))
}

function rowOf(envelope: StoredEnvelope, index: number, json: string): RecordRow {
  const { id, kind, call, namespace, principal } = envelope
  const { seq: position } = envelope.writer
  const at = { seq: index, writer: 0, position, namespace, index }
  return { ...at, id, timeMs: 0, kind, call, principal, leafHash: '', json }
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
