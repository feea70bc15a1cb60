import type { RecordRow, WriterHead } from './audit-reader.ts'
import type { StoredEnvelope } from './stored-envelope.ts'
import type { Findings } from './verify-report.ts'

interface OpenCall {
  readonly row: RecordRow
  readonly epoch: number
}

/** The calls of one writer. */
interface WriterCalls {
  epoch: number
  readonly open: Map<string, OpenCall>
}

/**
 * Checks that decisions and outcomes belong together: every outcome has one allowed decision of the same writer before
 * it and every allowed decision of a former epoch has an outcome. Remembers only the calls that are open.
 */
export class CallCheck {
  readonly #findings: Findings
  readonly #writers = new Map<number, WriterCalls>()
  /** Calls of which a record is bad: what belongs to them cannot be told. */
  readonly #doubtful = new Set<string>()

  /** Whether the decision of a call was let go, and its end was not. */
  readonly #isCut: (namespace: string, call: string) => boolean

  constructor(findings: Findings, isCut: (namespace: string, call: string) => boolean) {
    this.#findings = findings
    this.#isCut = isCut
  }

  /** Calls without an outcome so far. */
  get unfinished(): number {
    return this.#writers.values().reduce((sum, { open }) => sum + open.size, 0)
  }

  /** Takes the next record in the order of writing. */
  take(row: RecordRow, envelope: StoredEnvelope): void {
    const calls = this.#callsOf(row.writer)
    const key = `${envelope.namespace}/${envelope.call}`
    const { epoch } = envelope.writer
    if (epoch < calls.epoch) this.#fail(row, 'It is of an earlier start than the record before it.')
    if (envelope.kind === 'outcome' || envelope.kind === 'abandoned') {
      if (!calls.open.delete(key) && !this.#doubtful.has(key) && !this.#isCut(envelope.namespace, envelope.call)) {
        this.#fail(row, `It is an ${envelope.kind} record, but no allowed decision without outcome came before it.`)
      }
      return
    }
    // The first thing that a start writes is what the former one left open; so what is open now stays open.
    if (epoch > calls.epoch) this.#finish(calls, epoch)
    calls.epoch = Math.max(epoch, calls.epoch)
    if (envelope.kind !== 'decision' || envelope.effect !== 'allow') return
    if (calls.open.has(key)) this.#fail(row, 'It is a second decision for a call that has no outcome yet.')
    calls.open.set(key, { row, epoch })
  }

  /** Takes a record whose text cannot be believed: it is bad already, and says nothing against the others of its call. */
  doubt(row: RecordRow): void {
    const key = `${row.namespace}/${row.call}`
    this.#doubtful.add(key)
    for (const { open } of this.#writers.values()) open.delete(key)
  }

  /** Reports what starts before the newest of each writer left open. */
  finish(heads: readonly WriterHead[]): void {
    for (const { writer, epoch } of heads) this.#finish(this.#callsOf(writer), epoch)
  }

  #finish({ open }: WriterCalls, epoch: number): void {
    for (const [key, { row, epoch: opened }] of open) {
      if (opened >= epoch) continue
      open.delete(key)
      this.#fail(row, 'It allowed a call, and neither an outcome nor an abandoned record followed.')
    }
  }

  #callsOf(writer: number): WriterCalls {
    const known = this.#writers.get(writer)
    if (known !== undefined) return known
    const made: WriterCalls = { epoch: 0, open: new Map() }
    this.#writers.set(writer, made)
    return made
  }

  #fail({ seq, namespace, index, id }: RecordRow, problem: string): void {
    this.#findings.record(seq, { namespace, index, id, problem })
  }
}
