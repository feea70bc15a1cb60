import type { RecordRow } from './audit-reader.ts'
import type { StoredEnvelope } from './stored-envelope.ts'
import type { Findings } from './verify-report.ts'

interface OpenCall {
  readonly seq: number
  readonly row: RecordRow
  readonly epoch: number
}

/**
 * Checks that decisions and outcomes belong together: every outcome has one allowed decision before it and every
 * allowed decision of a former epoch has an outcome. Remembers only the calls that are open.
 */
export class CallCheck {
  readonly #findings: Findings
  readonly #open = new Map<string, OpenCall>()
  /** Calls of which a record is bad: what belongs to them cannot be told. */
  readonly #doubtful = new Set<string>()
  #epoch = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Calls without an outcome so far. */
  get unfinished(): number {
    return this.#open.size
  }

  /** Takes the next record in the order of writing. */
  take(row: RecordRow, envelope: StoredEnvelope): void {
    const key = `${envelope.namespace}/${envelope.call}`
    const { epoch, seq } = envelope.writer
    const where = { namespace: row.namespace, index: row.index, id: row.id }
    if (epoch < this.#epoch)
      this.#findings.record(row.seq, { ...where, problem: 'It is of an earlier start than the record before it.' })
    if (envelope.kind === 'outcome' || envelope.kind === 'abandoned') {
      if (!this.#open.delete(key) && !this.#doubtful.has(key)) {
        this.#findings.record(row.seq, {
          ...where,
          problem: `It is an ${envelope.kind} record, but no allowed decision without outcome came before it.`,
        })
      }
      return
    }
    // The first thing that a start writes is what the former one left open; so what is open now stays open.
    if (epoch > this.#epoch) this.finish(epoch)
    this.#epoch = Math.max(epoch, this.#epoch)
    if (envelope.kind !== 'decision' || envelope.effect !== 'allow') return
    if (this.#open.has(key)) {
      this.#findings.record(row.seq, {
        ...where,
        problem: 'It is a second decision for a call that has no outcome yet.',
      })
    }
    this.#open.set(key, { seq, row, epoch })
  }

  /** Takes a record whose text cannot be believed: it is bad already, and says nothing against the others of its call. */
  doubt(row: RecordRow): void {
    const key = `${row.namespace}/${row.call}`
    this.#doubtful.add(key)
    this.#open.delete(key)
  }

  /** Reports what a start before `epoch` left open. */
  finish(epoch: number): void {
    for (const [key, { row, epoch: opened }] of this.#open) {
      if (opened >= epoch) continue
      this.#open.delete(key)
      const { namespace, index, id } = row
      this.#findings.record(row.seq, {
        namespace,
        index,
        id,
        problem: 'It allowed a call, and neither an outcome nor an abandoned record followed.',
      })
    }
  }
}
