import type { DecisionLog } from '../../audit/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { alarmRecords } from '../alarm-records.ts'

/** Somewhere the log is handed on to, and how that fares. */
export interface Place {
  /** `exporter NAME`, `publishing: NAME`, `channel NAME`. */
  readonly name: string
  /** Why it does not take what it is given, a few words without secrets; `null` where it does. */
  readonly failing: string | null
  /** Records that it will never have, since it was begun. */
  readonly lost: number
}

/** What looking after places stands on. */
export interface PlaceWatchOptions {
  readonly places: () => Promise<readonly Place[]>
  readonly decisionLog: Pick<DecisionLog, 'append'>
  readonly clock: Clock
  /** How long a place may fail before that is an alarm. */
  readonly alarmAfterMs: number
  /** Told when it begins to break on our side. It is tried again. */
  readonly onFailure: (error: unknown) => void
}

/** The watch at work. */
export interface PlaceWatch {
  /** Looks once, and resolves when what is to be told is recorded. */
  look(): Promise<void>
  close(): Promise<void>
}

interface Watched {
  /** By the clock that only goes forward; `null` where it is well. */
  failingSinceMs: number | null
  isTold: boolean
  /** Of `lost`, as it was last told, and when. */
  lostTold: number
  lostToldAtMs: number | null
}

const longestPauseMs = 15_000
/** Each alarm is a record that is handed on too: what goes on being lost is told with its sum. */
const lostEveryMs = 3_600_000
const maxReasonLength = 500

/**
 * Raises an alarm, a record of which channels are told, where a place fails for long, where it is well again after that,
 * and where records do not reach it at all. What fails for a shorter time is in the log of the server alone.
 */
export function watchPlaces({ places, decisionLog, clock, alarmAfterMs, onFailure }: PlaceWatchOptions): PlaceWatch {
  const watched = new Map<string, Watched>()
  const record = alarmRecords(decisionLog, clock)

  async function lookAt({ name, failing, lost }: Place): Promise<void> {
    const nowMs = clock.monotonicMs()
    const known = watched.get(name) ?? { failingSinceMs: null, isTold: false, lostTold: 0, lostToldAtMs: null }
    watched.set(name, known)
    // Where it was begun again it counts from zero.
    known.lostTold = Math.min(known.lostTold, lost)
    if (lost > known.lostTold && (known.lostToldAtMs === null || nowMs - known.lostToldAtMs >= lostEveryMs)) {
      await record('platform', { type: 'receiver-loses', where: name, records: lost - known.lostTold })
      known.lostTold = lost
      known.lostToldAtMs = nowMs
    }
    if (failing === null) {
      if (known.isTold) await record('platform', { type: 'receiver-recovered', where: name })
      known.isTold = false
      known.failingSinceMs = null
      return
    }
    known.failingSinceMs ??= nowMs
    const forMs = nowMs - known.failingSinceMs
    if (known.isTold || forMs < alarmAfterMs) return
    const problem = failing.slice(0, maxReasonLength).toWellFormed()
    const since = new Date(clock.nowMs() - forMs).toISOString()
    await record('platform', { type: 'receiver-failing', where: name, problem, since })
    known.isTold = true
  }

  let isBroken = false
  async function lookAtAll(): Promise<void> {
    try {
      for (const place of await places()) await lookAt(place)
      isBroken = false
    } catch (error) {
      if (!isBroken) onFailure(error)
      isBroken = true
    }
  }

  /** One after the other: two at once would tell the same twice. */
  let looking: Promise<void> = Promise.resolve()
  const look = (): Promise<void> => {
    looking = looking.then(lookAtAll)
    return looking
  }
  const timer = setInterval(() => void look(), Math.min(longestPauseMs, alarmAfterMs))
  timer.unref()
  return {
    look,
    async close() {
      clearInterval(timer)
      await looking
    },
  }
}
