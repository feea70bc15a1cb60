import type { UsageCounterState } from './usage-counter.ts'
import type { UsageKey } from './usage-ledger.ts'

/** How far the counters of a namespace that are kept go. */
export interface UsageMark {
  readonly namespace: string
  /** Every record of the namespace's log up to this index is counted in what is kept. */
  readonly throughIndex: number
  /** When that was written, in Unix milliseconds of a time that only goes forward. */
  readonly atMs: number
}

/** Where counters of use are kept. A snapshot: what came after it is in the decision log. */
export interface UsageCounterStore {
  /** Counters of this day (days since 1970-01-01 in UTC) and later, at most so many, in no order. */
  load(fromDay: number, limit: number): Promise<readonly UsageCounterState[]>
  /** The counters of a key that are kept: of the principal in all, and of the target. */
  find(key: UsageKey): Promise<readonly UsageCounterState[]>
  marks(): Promise<readonly UsageMark[]>
  /**
   * Puts counters and marks in place of those of the same key. Marks are written last: where writing breaks off, some
   * counters are newer than their mark, never older.
   */
  save(counters: readonly UsageCounterState[], marks: readonly UsageMark[]): Promise<void>
  /** Forgets the counters of all days before this one. */
  forgetBefore(day: number): Promise<void>
}
