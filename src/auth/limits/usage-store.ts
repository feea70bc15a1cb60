/** Whose use is counted. */
export interface UsageHolder {
  readonly kind: 'agent' | 'user' | 'namespace'
  readonly id: string
}

/** What was used in a day, or in a part of one. */
export interface Usage {
  readonly calls: number
  /** Bytes of JSON that the calls came with. */
  readonly bytesIn: number
}

/** Where use is kept by day. */
export interface UsageStore {
  /** `day` is a date in UTC, `2026-11-21`. */
  load(day: string): Promise<readonly (UsageHolder & Usage)[]>
  /** Adds to what is kept of the day. No count goes beyond 2^53 - 1. */
  add(day: string, uses: readonly (UsageHolder & Usage)[]): Promise<void>
  /** Forgets all days before this one. */
  forgetBefore(day: string): Promise<void>
}
