import type { RecordRow } from './audit-reader.ts'
import { ColumnsDigest } from './columns-digest.ts'
import { PositionRanges } from './position-ranges.ts'
import type { Removal } from './removal-event.ts'
import type { Findings } from './verify-report.ts'

/** What one step of retention said of the rows that it left without a text. */
interface Step {
  readonly record: RecordRow
  readonly from: number
  readonly below: number
  readonly kept: PositionRanges
  readonly removed: number
  readonly columns: string
  readonly digest: ColumnsDigest
}

/**
 * Holds the rows of records whose texts were let go against the digest that the record of the removal has of them: there is
 * no text any more that would say what they have to be. Only of the steps that were there before the first row was read:
 * of a later one some rows may have been read while they had their texts.
 */
export class LeftColumnsCheck {
  readonly #findings: Findings
  /** By namespace, in the order of their positions. */
  readonly #steps = new Map<string, Step[]>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  expect(record: RecordRow, { from, below, kept, step }: Extract<Removal, { kind: 'texts' }>): void {
    if (record.namespace === null || step === null) return
    const stays = new PositionRanges()
    for (const [from, to] of kept) stays.add(from, to)
    const steps = this.#steps.get(record.namespace) ?? []
    steps.push({ record, from, below, kept: stays, ...step, digest: new ColumnsDigest() })
    this.#steps.set(record.namespace, steps)
  }

  take(row: RecordRow): void {
    if (this.#steps.size === 0 || row.namespace === null) return
    const step = this.#stepOf(row.namespace, row.index)
    if (step !== undefined && !step.kept.has(row.index)) step.digest.add(row)
  }

  finish(): void {
    for (const steps of this.#steps.values())
      for (const { record, from, below, removed, columns, digest } of steps) {
        if (digest.count === removed && digest.digest() === columns) continue
        const { seq, namespace, index, id } = record
        const what = `${removed} records of the positions ${from} to ${below - 1}`
        const problem = `It let the texts of ${what} go, and what is left of them is not what it says: an id, a time, a kind or a call was changed.`
        this.#findings.record(seq, { namespace, index, id, problem })
      }
  }

  /** Steps follow each other and do not meet. */
  #stepOf(namespace: string, index: number): Step | undefined {
    const steps = this.#steps.get(namespace) ?? []
    let [low, high] = [0, steps.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const step = steps[middle]
      if (step === undefined || index < step.from) high = middle
      else if (index >= step.below) low = middle + 1
      else return step
    }
    return undefined
  }
}
