import type { ExpiryStep, LogReader, RecordKeeper, StepResult } from '../../audit/index.ts'
import { clockAhead, problemIds, stoppedAt, textsUnread, uncoveredErasure } from './keeping-problems.ts'
import type { Recording } from './open-recording.ts'
import type { RetentionClock } from './open-retention-clock.ts'
import type { KeepingWatch } from './watch-keeping.ts'

const dayMs = 86_400_000
/** Between rounds: what is due is due by the day. */
const roundMs = 15 * 60_000
/** Between steps: appends that came in the meantime go first. */
const pauseMs = 20

/** Carries out what namespaces say about how long things are kept. */
export interface Sweeper {
  /** Does what is due without waiting for the next round. */
  sweep(): Promise<void>
  /** Texts that went since the start before a reader of the log had them. */
  lost(reader: string): number
  /** Lets the step that is under way end. */
  close(): Promise<void>
}

/** What the sweeper stands on. */
export interface SweeperParts {
  readonly keeper: Pick<RecordKeeper, 'expire' | 'sweepErased'>
  readonly recording: Pick<Recording, 'inForce'>
  readonly namespaces: () => readonly string[]
  readonly clock: RetentionClock
  /** Who is to have had the texts of a namespace before they go, and for how many days beyond their time they wait. */
  readonly readers: (namespace: string) => Promise<readonly LogReader[]>
  readonly waitDays: number
  readonly watch: Pick<KeepingWatch, 'raise' | 'settle'>
  readonly onFailure: (error: unknown) => void
}

/**
 * Goes through all namespaces every quarter of an hour, in bounded steps with pauses, one round at a time. What could
 * not be done is reported and comes again with the next round: something may be kept longer than it should, and never
 * less long.
 */
export function startSweeper(parts: SweeperParts): Sweeper {
  const { keeper, recording, namespaces, clock, readers, waitDays, watch, onFailure } = parts
  let closed = false
  let round: Promise<void> | null = null
  const closing = new AbortController()
  const lost = new Map<string, number>()
  /** Where readers were when they lost something. */
  const lostAt = new Map<string, string>()

  async function untilDone(step: () => Promise<StepResult>): Promise<StepResult | null> {
    let last: StepResult | null = null
    while (!closed) {
      last = await step()
      await tell(last)
      if (!last.more) break
      await pause(closing.signal)
    }
    return last
  }

  async function tell({ uncovered, unread = [] }: StepResult): Promise<void> {
    // Counted before anything else can fail: they are gone.
    for (const { reader, records } of unread) lost.set(reader, (lost.get(reader) ?? 0) + records)
    if (uncovered !== undefined) await watch.raise(uncoveredErasure(uncovered))
  }

  async function expire(step: ExpiryStep): Promise<void> {
    const { namespace, what, awaited } = step
    const last = await untilDone(async () => {
      const result = await keeper.expire(step)
      for (const one of result.unread ?? []) {
        const position = awaited?.readers.find(({ name }) => name === one.reader)?.position ?? ''
        lostAt.set(problemIds.unread(namespace, one.reader), position)
        await watch.raise(textsUnread(namespace, one))
      }
      return result
    })
    if (last === null) return
    if (last.stoppedAt === undefined) watch.settle(problemIds.stopped(namespace, what))
    else await watch.raise(stoppedAt(namespace, what, last.stoppedAt))
  }

  /** Whoever goes on reading is told of no more than what it lost. */
  function settleReaders(namespace: string, here: readonly LogReader[]): void {
    for (const { name, position } of here) {
      const id = problemIds.unread(namespace, name)
      const was = lostAt.get(id)
      if (was === undefined || was === position) continue
      lostAt.delete(id)
      watch.settle(id)
    }
  }

  async function goRound(): Promise<void> {
    await untilDone(() => keeper.sweepErased())
    const time = await clock.look()
    if (time.state === 'refused') await watch.raise(clockAhead(time))
    else watch.settle(problemIds.clock)
    for (const namespace of namespaces()) {
      const { bodyDays, recordDays } = recording.inForce(namespace)
      const beforeMs = (days: number): number => time.timeMs - days * dayMs
      // A clock that is behind makes nothing look dated ahead that was written before it was set back.
      const latestMs = time.timeMs + Math.max(0, -time.aheadMs)
      if (bodyDays !== 'forever')
        await expire({ namespace, what: 'bodies', beforeMs: beforeMs(bodyDays), latestMs, days: bodyDays })
      if (recordDays === 'forever') continue
      const here = await readers(namespace)
      settleReaders(namespace, here)
      const awaited = { readers: here, untilMs: beforeMs(recordDays + waitDays) }
      await expire({ namespace, what: 'texts', beforeMs: beforeMs(recordDays), latestMs, days: recordDays, awaited })
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
    lost: (reader) => lost.get(reader) ?? 0,
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
