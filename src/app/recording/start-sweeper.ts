import type { RecordKeeper } from '../../audit/index.ts'
import type { Recording } from './open-recording.ts'
import type { RetentionClock, RetentionTime } from './open-retention-clock.ts'
import type { KeepingProblem, KeepingWatch } from './watch-keeping.ts'

const dayMs = 86_400_000
/** Between rounds: what is due is due by the day. */
const roundMs = 15 * 60_000
/** Between steps: appends that came in the meantime go first. */
const pauseMs = 20

/** Carries out what namespaces say about how long things are kept. */
export interface Sweeper {
  /** Does what is due without waiting for the next round. */
  sweep(): Promise<void>
  /** Lets the step that is under way end. */
  close(): Promise<void>
}

/** What the sweeper stands on. */
export interface SweeperParts {
  readonly keeper: Pick<RecordKeeper, 'expire' | 'sweepErased'>
  readonly recording: Pick<Recording, 'inForce'>
  readonly namespaces: () => readonly string[]
  readonly clock: RetentionClock
  readonly watch: Pick<KeepingWatch, 'raise' | 'settle'>
  readonly onFailure: (error: unknown) => void
}

/**
 * Goes through all namespaces every quarter of an hour, in bounded steps with pauses, one round at a time. What could
 * not be done is reported and comes again with the next round: something may be kept longer than it should, and never
 * less long.
 */
export function startSweeper({ keeper, recording, namespaces, clock, watch, onFailure }: SweeperParts): Sweeper {
  let closed = false
  let round: Promise<void> | null = null
  const closing = new AbortController()

  async function untilDone(step: () => Promise<{ readonly more: boolean }>): Promise<void> {
    while (!closed && (await step()).more) await pause(closing.signal)
  }

  async function goRound(): Promise<void> {
    await untilDone(() => keeper.sweepErased())
    const time = await clock.look()
    if (time.state === 'refused') await watch.raise(clockAhead(time))
    else watch.settle(clockId)
    for (const namespace of namespaces()) {
      const { bodyDays, recordDays } = recording.inForce(namespace)
      for (const [what, days] of [
        ['bodies', bodyDays],
        ['texts', recordDays],
      ] as const) {
        if (days === 'forever') continue
        await untilDone(() => keeper.expire({ namespace, what, beforeMs: time.timeMs - days * dayMs, days }))
      }
    }
  }

  async function sweep(): Promise<void> {
    round ??= goRound()
      .catch(onFailure)
      .finally(() => (round = null))
    await round
  }

  const timer = setInterval(() => void sweep(), roundMs)
  timer.unref()
  return {
    sweep,
    async close() {
      closed = true
      closing.abort()
      clearInterval(timer)
      await round
    },
  }
}

/** Ends early when everything is to end. */
function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}

const clockId = 'clock'

function clockAhead({ timeMs, aheadMs }: RetentionTime): KeepingProblem {
  const counted = new Date(timeMs).toISOString()
  const shown = new Date(timeMs + aheadMs).toISOString()
  return {
    id: clockId,
    namespace: 'platform',
    event: { type: 'clock-ahead', counted, clock: shown },
    detail: `the clock says ${shown}, and retention has counted up to ${counted}: it is not believed, and nothing goes that is not due by the time that passes here`,
    remedy:
      'set the clock right; where it is right, raise gateway.auditClockJumpDays for one start, and what is due goes, a day in an hour',
  }
}
