import { PositionRanges, type PositionRange } from '../position-ranges.ts'
import { readRemoval } from '../removal-event.ts'
import type { StoredEnvelope } from '../stored-envelope.ts'
import type { Findings } from '../verify-report.ts'

/** Holds the texts that a bundle lacks against its records of kind `retention`, which come after them. */
export class BundledRemovals {
  readonly #findings: Findings
  /** Whose the missing texts are. */
  #missing: { readonly namespace: string } | null = null
  /** Positions of the missing texts. */
  readonly #gone = new PositionRanges()
  readonly #ends = new Map<string, number>()
  /** Positions of the texts that were let go. */
  readonly #let = new PositionRanges()
  /** What was to stay of that. */
  readonly #kept: PositionRange[] = []
  readonly #cut = new Set<string>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  missingText(namespace: string, index: number): void {
    this.#findings.removed.texts += 1
    this.#missing ??= { namespace }
    this.#gone.add(index)
  }

  /** An end of a call without a decision before it. Taken for good until all is read; false where no text is missing. */
  lonelyEnd(call: string, index: number): boolean {
    if (this.#missing === null) return false
    this.#ends.set(call, index)
    return true
  }

  take({ kind, event }: StoredEnvelope): void {
    const removal = readRemoval(kind, event)
    if (removal?.kind !== 'texts') return
    if (removal.below > removal.from) this.#let.add(removal.from, removal.below - 1)
    for (const range of removal.kept) this.#kept.push(range)
    for (const call of removal.calls) this.#cut.add(call)
  }

  finish(): void {
    if (this.#missing === null) return
    const { namespace } = this.#missing
    const fail = (index: number, problem: string) =>
      this.#findings.record(index, { namespace, index, id: null, problem })
    for (const [, to] of this.#gone.without(this.#let))
      fail(to, 'Its text is missing, and no record says that it was let go.')
    for (const [from, to] of this.#kept)
      if (this.#gone.meets(from, to)) fail(from, 'Its text is missing, and a record says that it was to stay.')
    for (const [call, index] of this.#ends)
      if (!this.#cut.has(call)) fail(index, 'It ends a call for which no allowed decision came before.')
  }
}
