import type { UsageFigures } from '../../policy/index.ts'

/** What one call adds. */
export interface Use {
  readonly calls: number
  readonly bytesOut: number
  /** In the minor unit of the namespace's currency. */
  readonly spend: number
}

/** Calls that began in one second, by Unix seconds. */
export type SecondCount = readonly [second: number, calls: number]

/** A tally as it is kept. */
export interface TallyState extends Use {
  /** Days since 1970-01-01 in UTC. */
  readonly day: number
  /** Oldest first, each second once. */
  readonly minute: readonly SecondCount[]
}

const dayMs = 86_400_000

/**
 * How long a second's calls count towards the minute after it began: the sixty seconds and the one that they began in,
 * so that in no sixty seconds more calls pass than a limit says.
 */
const minuteSeconds = 61

/** The day of a moment, in days since 1970-01-01 in UTC. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / dayMs)
}

/** When a day is over, in Unix milliseconds. */
export function endOfDayMs(day: number): number {
  return (day + 1) * dayMs
}

/**
 * What was used on one day, and in the last minute. Moments are given and must not run backwards by much: a day that is
 * over is not counted any more. No figure goes beyond 2^53 - 1. Holds at most one entry for each of the last 61 seconds.
 */
export class UsageTally {
  #day: number
  #calls: number
  #bytesOut: number
  #spend: number
  #minute: [second: number, calls: number][]

  constructor(state: TallyState = { day: 0, calls: 0, bytesOut: 0, spend: 0, minute: [] }) {
    this.#day = state.day
    this.#calls = state.calls
    this.#bytesOut = state.bytesOut
    this.#spend = state.spend
    this.#minute = state.minute.map(([second, calls]) => [second, calls])
  }

  /** Adds what was used at a moment. */
  add(timeMs: number, use: Use): void {
    this.#turnTo(dayOf(timeMs))
    this.#addToDay(timeMs, use, 1)
    if (use.calls > 0) this.#addToMinute(Math.floor(timeMs / 1000), use.calls)
  }

  /** Takes back what was added at a moment. */
  takeBack(timeMs: number, use: Use): void {
    this.#addToDay(timeMs, use, -1)
    const entry = this.#minute.find(([second]) => second === Math.floor(timeMs / 1000))
    if (entry !== undefined) entry[1] = Math.max(0, entry[1] - use.calls)
  }

  /** The figures at a moment, as if nothing more were used until then. */
  figuresAt(timeMs: number): Omit<UsageFigures, 'running'> {
    const isToday = dayOf(timeMs) <= this.#day
    return {
      callsMinute: this.#callsInMinute(timeMs),
      callsDay: isToday ? this.#calls : 0,
      bytesOutDay: isToday ? this.#bytesOut : 0,
      spendDay: isToday ? this.#spend : 0,
    }
  }

  /** The moments after this one at which seconds stop counting towards the minute, in Unix milliseconds, ascending. */
  releasesAfter(timeMs: number): number[] {
    return this.#minute.map(([second]) => (second + minuteSeconds) * 1000).filter((release) => release > timeMs)
  }

  /** Whether at this moment nothing is left of it. */
  isEmptyAt(timeMs: number): boolean {
    return dayOf(timeMs) > this.#day && this.#callsInMinute(timeMs) === 0
  }

  /** What is to be kept of it at a moment. */
  stateAt(timeMs: number): TallyState {
    this.#forgetBefore(timeMs)
    return {
      day: this.#day,
      calls: this.#calls,
      bytesOut: this.#bytesOut,
      spend: this.#spend,
      minute: this.#minute.map(([second, calls]) => [second, calls]),
    }
  }

  #turnTo(day: number): void {
    if (day <= this.#day) return
    this.#day = day
    this.#calls = 0
    this.#bytesOut = 0
    this.#spend = 0
  }

  #addToDay(timeMs: number, use: Use, sign: 1 | -1): void {
    // What was begun yesterday and ends today belongs to no count of today.
    if (dayOf(timeMs) !== this.#day) return
    this.#calls = bounded(this.#calls + sign * use.calls)
    this.#bytesOut = bounded(this.#bytesOut + sign * use.bytesOut)
    this.#spend = bounded(this.#spend + sign * use.spend)
  }

  #addToMinute(second: number, calls: number): void {
    const last = this.#minute.at(-1)
    if (last?.[0] === second) {
      last[1] += calls
      return
    }
    this.#forgetBefore(second * 1000)
    const place = this.#minute.findIndex(([other]) => other >= second)
    const there = this.#minute[place]
    if (there === undefined) this.#minute.push([second, calls])
    else if (there[0] === second) there[1] += calls
    else this.#minute.splice(place, 0, [second, calls])
  }

  #callsInMinute(timeMs: number): number {
    let calls = 0
    for (const [second, count] of this.#minute) if ((second + minuteSeconds) * 1000 > timeMs) calls += count
    return calls
  }

  #forgetBefore(timeMs: number): void {
    const [oldest] = this.#minute
    if (oldest === undefined || (oldest[0] + minuteSeconds) * 1000 > timeMs) return
    this.#minute = this.#minute.filter(([second]) => (second + minuteSeconds) * 1000 > timeMs)
  }
}

const bounded = (figure: number): number => Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, figure))
