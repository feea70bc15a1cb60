import type { BodyRow, RecordRow } from './audit-reader.ts'
import type { StoredEnvelope } from './stored-envelope.ts'
import type { Findings } from './verify-report.ts'

/** Holds the stored bodies against what the records say of them. */
export class BodyCheck {
  readonly #findings: Findings
  readonly #waiting = new Map<string, BodyRow>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Takes the bodies of records that come next. */
  expect(rows: readonly BodyRow[]): void {
    for (const row of rows) {
      this.#findings.bodies.checked += 1
      this.#waiting.set(`${row.seq}/${row.part}`, row)
    }
  }

  /** Compares the bodies of one record. */
  take(row: RecordRow, envelope: StoredEnvelope): void {
    for (const { part, commitment, bytes } of envelope.bodies) {
      const fail = (problem: string) =>
        this.#findings.body(row.seq, { namespace: row.namespace, index: row.index, id: row.id, problem })
      const key = `${row.seq}/${part}`
      const body = this.#waiting.get(key)
      this.#waiting.delete(key)
      if (body === undefined) fail(`Its ${part} is not stored beside it any more.`)
      else if (body.bytes !== bytes) fail(`Its stored ${part} has ${body.bytes} bytes instead of ${bytes}.`)
      else if (body.content === 'unopened') this.#findings.bodies.unopened += 1
      else if (body.content === 'damaged') fail(`Its stored ${part} was changed: it does not open.`)
      else if (body.content.commitment !== commitment) fail(`Its stored ${part} is not the one it commits to.`)
    }
  }

  /** Leaves out the bodies of a record whose text cannot be believed: it is bad already. */
  skip(seq: number): void {
    for (const part of ['input', 'output', 'engine_input']) this.#waiting.delete(`${seq}/${part}`)
  }

  /** Reports the bodies that no record speaks of. */
  finish(): void {
    for (const body of this.#waiting.values()) {
      const problem = `There is a stored body that no record speaks of (writer position ${body.seq}).`
      this.#findings.body(body.seq, { namespace: null, index: null, id: null, problem })
    }
    this.#waiting.clear()
  }
}
