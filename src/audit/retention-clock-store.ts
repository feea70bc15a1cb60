/** Keeps the time that retention has counted up to, so that a start can tell a clock that was set forward. */
export interface RetentionClockStore {
  /** Milliseconds since 1970; `null` where none was kept. */
  find(): Promise<number | null>
  /** Durable when it resolves. */
  keep(timeMs: number): Promise<void>
}
