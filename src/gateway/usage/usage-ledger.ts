import type { CallUsage } from '../../policy/index.ts'

/** Whose use of what is counted. */
export interface UsageKey {
  readonly namespace: string
  /** Principal id: all credentials of a principal count together. */
  readonly principal: string
  /** Type and name of what is used, such as `Tool leads-top`. */
  readonly target: string
}

/** Where a counted record stands, so that after a crash the log says what was counted and what was not. */
export interface CountedCall {
  /** The decision is durable at this index of the namespace's log. */
  decided(index: number): void
  /** The outcome is durable at this index, and a result of so many bytes goes out. */
  handedOut(bytes: number, index: number): void
  /**
   * The call is not under way any more. To be called once, whatever happened: where the decision could not be recorded
   * nothing has run, and what was counted is taken back.
   */
  end(): void
}

/** What was used at a later moment, if nothing more is used until then. */
export interface UsageForecast {
  /** Whole milliseconds from the moment of asking. */
  readonly afterMs: number
  readonly usage: CallUsage
}

/**
 * Counts what principals use, in all and of each tool. Reading and counting are synchronous, so that calls which come
 * at once cannot pass a limit together: between `read` and `begin` nothing may be awaited.
 */
export interface UsageLedger {
  /** Makes the counters of a key readable. `null` where they are already, which is nearly always. */
  ready(key: UsageKey): Promise<void> | null
  /** What was used before this moment. @throws McpworksError `internal` where the key was not made ready */
  read(key: UsageKey): CallUsage
  /** Counts a call that is allowed, with what it spends, and as under way. */
  begin(key: UsageKey, spend: number): CountedCall
  /**
   * What would be read later, ascending; the last is the beginning of the next day in UTC. Calls under way stay so.
   * Empty where it was asked for very often in this second: then nobody is told when to try again.
   */
  forecast(key: UsageKey): readonly UsageForecast[]
}
