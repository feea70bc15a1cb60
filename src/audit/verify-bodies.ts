import type { BodiesRow, RecordRow } from './audit-reader.ts'
import { openReferences, sealedBytes } from './sealed-bodies.ts'
import type { StoredEnvelope } from './stored-envelope.ts'
import type { Findings } from './verify-report.ts'

/** Holds the stored bodies against what the records say of them. */
export class BodyCheck {
  readonly #findings: Findings
  readonly #waiting = new Map<number, BodiesRow>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Takes the bodies of records that come next. */
  expect(rows: readonly BodiesRow[]): void {
    this.#findings.bodies.checked += rows.length
    for (const row of rows) this.#waiting.set(row.seq, row)
  }

  /** Compares the bodies of one record. Where they, or their key, are gone it is for others to say whether they may be. */
  take(row: RecordRow, envelope: StoredEnvelope): { readonly key: number | null } | null {
    if (envelope.bodies.length === 0) return null
    const stored = this.#waiting.get(row.seq)
    this.#waiting.delete(row.seq)
    if (stored === undefined) return { key: null }
    if (stored.key === 'erased') return { key: stored.dataKey }
    const problem = problemOf(row, envelope, stored)
    if (problem !== null)
      this.#findings.body(row.seq, { namespace: row.namespace, index: row.index, id: row.id, problem })
    else if (stored.key === 'unopened') this.#findings.bodies.unopened += 1
    return null
  }

  /** Leaves out the bodies of a record whose text cannot be believed: it is bad already. */
  skip(seq: number): void {
    this.#waiting.delete(seq)
  }

  /** Reports the bodies that no record speaks of. */
  finish(): void {
    for (const { seq } of this.#waiting.values()) {
      const problem = `There are stored bodies that no record speaks of (writer position ${seq}).`
      this.#findings.body(seq, { namespace: null, index: null, id: null, problem })
    }
    this.#waiting.clear()
  }
}

function problemOf({ id }: RecordRow, { bodies }: StoredEnvelope, { sealed, key }: BodiesRow): string | null {
  const due = sealedBytes(bodies.map(({ bytes }) => bytes))
  if (sealed.length !== due) return `Its stored bodies take ${sealed.length} bytes instead of ${due}.`
  if (key === 'unopened') return null
  const opened = typeof key === 'string' ? null : openReferences(key, id, sealed)
  if (opened === null) return 'Its stored bodies were changed: they do not open.'
  for (const { part, commitment, bytes } of bodies) {
    const found = opened.find((body) => body.part === part)
    if (found?.commitment !== commitment || found.bytes !== bytes)
      return `Its stored ${part} is not the one it commits to.`
  }
  return opened.length === bodies.length ? null : 'There are stored bodies beside it that it does not speak of.'
}
