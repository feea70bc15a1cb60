import type { RecordRow, WriterHead } from './audit-reader.ts'
import { leafHashText } from './rfc6962.ts'
import { readEnvelope, type StoredEnvelope } from './stored-envelope.ts'
import type { Findings } from './verify-report.ts'
import { writerIdOf } from './writer-id.ts'

/** Records that wait for a judgement before one that cannot be judged yet. */
const mostHeld = 10_000

/** Of a SHA-256 hash in hexadecimal. */
const hashLength = 64

/** A record whose text was compared with its row and with the writer's record after it. */
export interface ChainedRecord {
  readonly row: RecordRow
  /** `null` where the text is not a record, or not the one that was written. */
  readonly envelope: StoredEnvelope | null
  /** The leaf hash that the rest of the log vouches for most, in hexadecimal. */
  readonly leaf: string
}

interface Held {
  readonly row: RecordRow
  readonly envelope: StoredEnvelope | null
  readonly computed: string
  /** Whether the text gives the stored hash. */
  readonly intact: boolean
  judged: ChainedRecord | null
}

/** A link that does not hold: either its left record was changed, or the right one. The next link tells which. */
interface Suspicion {
  readonly left: RecordRow
  readonly right: RecordRow
}

/** One writer's chain. */
interface Chain {
  /** `null` for a writer that the log does not know. */
  readonly head: WriterHead | null
  /** As its records name it. */
  readonly id: string
  /** The writer's newest record so far. */
  held: Held | null
  suspicion: Suspicion | null
  nextPosition: number
}

/**
 * Checks each record's text against its row, and every writer's chain over all namespaces. Gives the records in the order
 * in which they came. One that looks changed is given later, because only the writer's record after it can say whether
 * its text or its stored hash is the changed one.
 */
export class ChainCheck {
  readonly #findings: Findings
  readonly #logId: string
  readonly #chains = new Map<number, Chain>()
  /** What was taken and not given yet, oldest first: none but the first are judged. */
  #queue: Held[] = []
  #nextSeq = 0
  /** Stretches of missing records that no namespace was found for yet. */
  #gaps: { readonly seq: number; readonly count: number }[] = []

  constructor(findings: Findings, logId: string, writers: readonly WriterHead[]) {
    this.#findings = findings
    this.#logId = logId
    for (const head of writers) this.#chains.set(head.writer, newChain(this.#idOf(head.writer), head))
  }

  /** Takes the next row in the order of all records; gives those that can be judged by now. */
  take(row: RecordRow): readonly ChainedRecord[] {
    this.#findings.records.checked += 1
    // Of a text that was let go the hash is left, which the next record and the tree vouch for.
    const isGone = row.json === ''
    const envelope = isGone ? null : readEnvelope(row.json)
    const gap = row.seq - this.#nextSeq
    if (gap > 0) this.#gaps.push({ seq: this.#nextSeq, count: gap })
    this.#nextSeq = row.seq + 1
    const chain = this.#chainOf(row)
    const follows = row.position === chain.nextPosition
    if (!follows && gap <= 0) {
      const place = `It lies at position ${row.position} of its writer; ${chain.nextPosition} is next`
      this.#fail(row, `${place}: moved, inserted, or records before it are gone.`)
    }
    const claim = envelope?.writer.prevHash ?? null
    this.#judge(chain, follows && !isGone ? claim : undefined, row)
    const computed = isGone ? this.#leftHash(row) : leafHashText(row.json)
    const intact = isGone || computed === row.leafHash
    const held: Held = { row, envelope, computed, intact, judged: null }
    chain.held = held
    chain.nextPosition = row.position + 1
    if (!isGone) this.#compareColumns(row, envelope, chain)
    if (row.position === 0 && claim !== null)
      this.#fail(row, "It is the writer's first record and names one before it.")
    if (intact && chain.suspicion === null) held.judged = { row, envelope, leaf: computed }
    this.#queue.push(held)
    return this.#give()
  }

  /** Gives the rest. `isComplete` says that rows were read up to where the heads are. */
  finish(isComplete: boolean): readonly ChainedRecord[] {
    for (const chain of this.#chains.values()) {
      const { head, nextPosition } = chain
      const isAtHead = isComplete && head !== null && nextPosition === head.nextPosition
      const hash = isAtHead ? head.lastHash : null
      this.#judge(chain, hash === null ? undefined : asDigest(Buffer.from(hash).toString('hex')), null)
      if (isComplete && head !== null && nextPosition < head.nextPosition) this.#reportCut(head, nextPosition)
    }
    return this.#give()
  }

  /** What is left of a text that was let go. A hash of another length would be cut, or break what is made of it. */
  #leftHash(row: RecordRow): string {
    if (row.leafHash.length === hashLength) return row.leafHash
    this.#fail(row, 'Its text was let go, and what is stored as its hash is none: it was changed.')
    return '0'.repeat(hashLength)
  }

  /** The place of a missing record became known: the next stretch of missing records is reported there. True if there was one. */
  placeGap(namespace: string, index: number): boolean {
    const gap = this.#gaps.shift()
    if (gap === undefined) return false
    this.#reportGap(gap, namespace, index)
    return true
  }

  /** Reports the stretches that no namespace was found for. */
  reportGaps(): void {
    for (const gap of this.#gaps) this.#reportGap(gap, null, null)
    this.#gaps = []
  }

  #reportGap(gap: { seq: number; count: number }, namespace: string | null, index: number | null): void {
    const what = gap.count === 1 ? 'A record is missing' : `${gap.count} records are missing`
    this.#findings.record(gap.seq, {
      namespace,
      index,
      id: null,
      problem: `${what} here (writer position ${gap.seq}): deleted.`,
    })
    this.#findings.records.failed += gap.count - 1
  }

  #reportCut(head: WriterHead, from: number): void {
    const [id, count] = [this.#idOf(head.writer), head.nextPosition - from]
    const problem = `The newest ${count} records of the writer ${id} are missing: its chain was cut off.`
    this.#findings.head(Number.MAX_SAFE_INTEGER - 2, problem)
  }

  #idOf(writer: number): string {
    return writerIdOf(this.#logId, writer)
  }

  #chainOf(row: RecordRow): Chain {
    const known = this.#chains.get(row.writer)
    if (known !== undefined) return known
    const made = newChain(this.#idOf(row.writer), null)
    this.#chains.set(row.writer, made)
    this.#fail(row, 'It is of a writer that the log does not know: inserted, or the row of the writer was deleted.')
    return made
  }

  /**
   * Judges a writer's newest record. `claim` is what the next one says of it; `undefined` where nothing follows that could
   * say it.
   */
  #judge(chain: Chain, claim: string | null | undefined, next: RecordRow | null): void {
    const { held } = chain
    chain.held = null
    if (held === null) return
    const { row, envelope, computed, intact } = held
    const wasGiven = held.judged !== null && !intact
    const vouched = claim === undefined ? intact : claim === asDigest(computed)
    if (chain.suspicion !== null) {
      const { left, right } = chain.suspicion
      chain.suspicion = null
      if (vouched) this.#fail(left, 'The record after it names another hash: it was replaced.')
      else {
        this.#fail(right, 'It names another hash for the record before it than that record has: it was changed.')
        held.judged ??= { row, envelope: null, leaf: computed }
        return
      }
    }
    if (intact) {
      if (!vouched && next !== null) chain.suspicion = { left: row, right: next }
      if (!vouched && next === null)
        this.#fail(row, 'The head names another hash for the newest record: it was replaced.')
      held.judged ??= { row, envelope, leaf: computed }
      return
    }
    if (wasGiven) return
    if (vouched && claim !== undefined) {
      this.#fail(row, 'Its stored hash was changed: it is not the hash of its text.')
      held.judged = { row, envelope, leaf: computed }
      return
    }
    this.#failText(held)
  }

  #failText(held: Held): void {
    const { row, computed } = held
    this.#fail(row, 'Its text was changed: it no longer gives the hash stored with it.')
    held.judged = { row, envelope: null, leaf: row.leafHash.length === computed.length ? row.leafHash : computed }
  }

  /** What is judged, up to the first that is not. A writer that is silent for long does not hold up all the others. */
  #give(): readonly ChainedRecord[] {
    const [first] = this.#queue
    if (this.#queue.length > mostHeld && first?.judged === null) {
      if (first.intact) first.judged = { row: first.row, envelope: null, leaf: first.computed }
      else this.#failText(first)
    }
    const given: ChainedRecord[] = []
    for (const { judged } of this.#queue) {
      if (judged === null) break
      given.push(judged)
    }
    if (given.length === this.#queue.length) this.#queue = []
    else if (given.length > 0) this.#queue.splice(0, given.length)
    return given
  }

  #compareColumns(row: RecordRow, envelope: StoredEnvelope | null, { id: writerId }: Chain): void {
    if (envelope === null) return this.#fail(row, 'Its text is not a record.')
    const principal = envelope.kind === 'decision' ? envelope.principal : null
    const differs = [
      envelope.id !== row.id && 'id',
      envelope.namespace !== row.namespace && 'namespace',
      envelope.kind !== row.kind && 'kind',
      envelope.call !== row.call && 'call',
      Date.parse(envelope.time) !== row.timeMs && 'time',
      principal !== row.principal && 'principal',
      envelope.writer.seq !== row.position && 'writer position',
      envelope.writer.id !== writerId && 'writer',
    ].filter((name) => name !== false)
    if (differs.length > 0) this.#fail(row, `Its row and its text disagree on ${differs.join(', ')}.`)
  }

  #fail(row: RecordRow, problem: string): void {
    this.#findings.record(row.seq, { namespace: row.namespace, index: row.index, id: row.id, problem })
  }
}

function newChain(id: string, head: WriterHead | null): Chain {
  return { head, id, held: null, suspicion: null, nextPosition: 0 }
}

function asDigest(hash: string): string {
  return `sha256:${hash}`
}
