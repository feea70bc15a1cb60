import type { DecisionLog, RecordKind, RetentionClockStore } from '../../audit/index.ts'
import type { Clock } from '../../kernel/index.ts'

const dayMs = 86_400_000
/** A clock that is ahead by no more was set right, or the machine slept. */
const adjustmentMs = 3_600_000
/** How much faster than time passes a credible lead of the clock is caught up with. */
const catchUpRate = 24
/** How much of a lead that was believed is forgotten for the time that passes: a machine that sleeps two thirds of the day. */
const forgetRate = 2

/** What was written by those who were here; what a start writes of the one before bears the time of the start. */
const datedKinds: readonly RecordKind[] = ['decision', 'outcome', 'denied-at-door', 'approval']

/** The time that retention counts by. */
export interface RetentionTime {
  /** Milliseconds since 1970; never beyond the clock of the machine. */
  readonly timeMs: number
  /** `catching-up`: the clock is ahead, and believed slowly. `refused`: so far ahead that it is taken to be wrong. */
  readonly state: 'sure' | 'catching-up' | 'refused'
  /** Of the clock of the machine before the time that was counted up to; negative where it is behind that. */
  readonly aheadMs: number
}

/** Tells how late it is for whoever deletes by age. */
export interface RetentionClock {
  /** @throws McpworksError `storage_unavailable` */
  look(): Promise<RetentionTime>
}

/** What the clock stands on. */
export interface RetentionClockParts {
  readonly store: RetentionClockStore
  readonly decisionLog: Pick<DecisionLog, 'read'>
  readonly clock: Clock
  /** Lead of the clock, in days, that can come from the server having been off. */
  readonly jumpDays: number
}

/**
 * Goes on from the time that was counted up to last, over restarts; where there is none, from the newest record. The clock
 * of the machine is believed as far as time passed here (the monotonic clock), and an hour. Beyond that it is caught up
 * with, a day in an hour, so that nothing goes at once; beyond `jumpDays` only the time that passes here counts. The same
 * where leads were believed again and again, and come to more than that: else somebody who sets the clock ahead each time
 * that it was caught up with would have days pass in hours, and nobody told.
 *
 * Does not protect a log that was begun while the clock was ahead.
 */
export async function openRetentionClock({
  store,
  decisionLog,
  clock,
  jumpDays,
}: RetentionClockParts): Promise<RetentionClock> {
  let countedMs = (await store.find()) ?? (await newestRecordMs(decisionLog)) ?? Math.floor(clock.nowMs())
  await store.keep(countedMs)
  let lookedMs = clock.monotonicMs()
  /** Of the leads that were caught up with, what is not forgotten yet. */
  let believedMs = 0

  function advance(wallMs: number): RetentionTime['state'] {
    const nowMs = clock.monotonicMs()
    const passedMs = nowMs - lookedMs
    lookedMs = nowMs
    believedMs = Math.max(0, believedMs - passedMs * forgetRate)
    const jumpMs = wallMs - countedMs - passedMs
    if (jumpMs <= 0) {
      countedMs = Math.max(countedMs, wallMs)
      return 'sure'
    }
    const isCredible = jumpMs <= jumpDays * dayMs - believedMs
    const isSmall = isCredible && jumpMs <= adjustmentMs
    const most = isSmall ? jumpMs : passedMs * (catchUpRate - 1)
    const leadMs = isCredible ? Math.min(jumpMs, most) : 0
    believedMs += leadMs
    countedMs = isSmall ? wallMs : Math.min(wallMs, countedMs + Math.floor(passedMs + leadMs))
    if (isSmall) return 'sure'
    return isCredible ? 'catching-up' : 'refused'
  }

  return {
    async look() {
      const wallMs = Math.floor(clock.nowMs())
      const state = advance(wallMs)
      // Before anything is deleted by it: a time that is counted twice would be believed twice.
      await store.keep(countedMs)
      return { timeMs: Math.min(countedMs, wallMs), state, aheadMs: wallMs - countedMs }
    },
  }
}

async function newestRecordMs(decisionLog: Pick<DecisionLog, 'read'>): Promise<number | null> {
  const [newest] = await decisionLog.read({ namespace: null, kinds: datedKinds, descending: true, limit: 1 })
  return newest?.timeMs ?? null
}
