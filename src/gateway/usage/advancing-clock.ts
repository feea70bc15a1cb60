import type { Clock } from '../../kernel/index.ts'

/** Time that only goes forward, in Unix milliseconds. */
export interface AdvancingClock {
  nowMs(): number
}

/**
 * Follows the wall clock, and where that is set back goes on at the pace of the monotonic one, so that a clock that is
 * set back gives nothing again that was used up. Begins no earlier than `notBeforeMs`.
 */
export function createAdvancingClock(clock: Clock, notBeforeMs = 0): AdvancingClock {
  let lastMs = Math.max(notBeforeMs, clock.nowMs())
  let lastMonotonicMs = clock.monotonicMs()
  return {
    nowMs() {
      const monotonicMs = clock.monotonicMs()
      lastMs = Math.max(lastMs + Math.max(0, monotonicMs - lastMonotonicMs), clock.nowMs())
      lastMonotonicMs = monotonicMs
      return lastMs
    },
  }
}
