/** Time as a port, so that tests can hold it still. */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. Can step backwards. */
  nowMs(): number
  /** Monotonic time in milliseconds with fractions. Only differences mean anything. */
  monotonicMs(): number
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}
