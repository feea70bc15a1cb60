import type { RecordRow } from './audit-reader.ts'
import { leafHash } from './rfc6962.ts'
import { readEnvelope, type StoredEnvelope } from './stored-envelope.ts'
import type { Findings } from './verify-report.ts'

/** A record whose text was compared with its row and with the record after it. */
export interface ChainedRecord {
  readonly row: RecordRow
  /** `null` where the text is not a record, or not the one that was written. */
  readonly envelope: StoredEnvelope | null
  /** The leaf hash that the rest of the log vouches for most. */
  readonly leaf: Uint8Array
}

interface Held {
  readonly row: RecordRow
  readonly envelope: StoredEnvelope | null
  readonly computed: Buffer
}

/** A link that does not hold: either its left record was changed, or the right one. The next link tells which. */
interface Suspicion {
  readonly left: RecordRow
  readonly right: RecordRow
}

/**
 * Checks each record's text against its row, and the writer's chain over all namespaces. Gives every record one step
 * late, because only the record after it can say whether its text or its stored hash is the changed one.
 */
export class ChainCheck {
  readonly #findings: Findings
  readonly #logId: string
  #held: Held | null = null
  #suspicion: Suspicion | null = null
  #nextSeq = 0
  /** Stretches of missing records that no namespace was found for yet. */
  #gaps: { readonly seq: number; readonly count: number }[] = []

  constructor(findings: Findings, logId: string) {
    this.#findings = findings
    this.#logId = logId
  }

  /** Takes the next row in the order of writing; gives the one before it. */
  take(row: RecordRow): ChainedRecord | null {
    this.#findings.records.checked += 1
    const envelope = readEnvelope(row.json)
    const gap = row.seq - this.#nextSeq
    if (gap > 0) this.#gaps.push({ seq: this.#nextSeq, count: gap })
    const claim = envelope?.writer.prevHash ?? null
    const before = this.#release(gap === 0 ? claim : undefined, row)
    const computed = leafHash(row.json)
    this.#held = { row, envelope, computed }
    this.#nextSeq = row.seq + 1
    this.#compareColumns(row, envelope)
    if (row.seq === 0 && claim !== null) this.#fail(row, "It is the writer's first record and names one before it.")
    return before
  }

  /** Gives the last record. `lastHash` is what the head says its hash is, `undefined` where there is no head. */
  finish(lastHash: Uint8Array | null | undefined): ChainedRecord | null {
    const claim = lastHash === undefined || lastHash === null ? undefined : asDigest(lastHash)
    const last = this.#release(claim, null)
    return last
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

  /** `claim` is what the next record says of the held one; `undefined` where nothing follows that could say it. */
  #release(claim: string | null | undefined, next: RecordRow | null): ChainedRecord | null {
    const held = this.#held
    this.#held = null
    if (held === null) return null
    const { row, envelope, computed } = held
    const intact = Buffer.compare(computed, row.leafHash) === 0
    const vouched = claim === undefined ? intact : claim === asDigest(computed)
    if (this.#suspicion !== null) {
      const { left, right } = this.#suspicion
      this.#suspicion = null
      if (vouched) this.#fail(left, 'The record after it names another hash: it was replaced.')
      else {
        this.#fail(right, 'It names another hash for the record before it than that record has: it was changed.')
        return { row, envelope: null, leaf: computed }
      }
    }
    if (intact) {
      if (!vouched && next !== null) this.#suspicion = { left: row, right: next }
      if (!vouched && next === null)
        this.#fail(row, 'The head names another hash for the newest record: it was replaced.')
      return { row, envelope, leaf: computed }
    }
    if (vouched && claim !== undefined) {
      this.#fail(row, 'Its stored hash was changed: it is not the hash of its text.')
      return { row, envelope, leaf: computed }
    }
    this.#fail(row, 'Its text was changed: it no longer gives the hash stored with it.')
    return { row, envelope: null, leaf: row.leafHash.length === computed.length ? row.leafHash : computed }
  }

  #compareColumns(row: RecordRow, envelope: StoredEnvelope | null): void {
    if (envelope === null) return this.#fail(row, 'Its text is not a record.')
    const principal = envelope.kind === 'decision' ? envelope.principal : null
    const differs = [
      envelope.id !== row.id && 'id',
      envelope.namespace !== row.namespace && 'namespace',
      envelope.kind !== row.kind && 'kind',
      envelope.call !== row.call && 'call',
      Date.parse(envelope.time) !== row.timeMs && 'time',
      principal !== row.principal && 'principal',
      envelope.writer.seq !== row.seq && 'writer position',
      envelope.writer.id !== this.#logId && 'writer',
    ].filter((name) => name !== false)
    if (differs.length > 0) this.#fail(row, `Its row and its text disagree on ${differs.join(', ')}.`)
  }

  #fail(row: RecordRow, problem: string): void {
    this.#findings.record(row.seq, { namespace: row.namespace, index: row.index, id: row.id, problem })
  }
}

function asDigest(hash: Uint8Array): string {
  return `sha256:${Buffer.from(hash).toString('hex')}`
}
