import type { DecisionLog } from '../../audit/index.ts'
import type { Clock } from '../../kernel/index.ts'
import { createAdvancingClock } from './advancing-clock.ts'
import { recoverUsage } from './recover-usage.ts'
import { UsageBook } from './usage-book.ts'
import type { UsageCounterStore } from './usage-counter-store.ts'
import type { UsageLedger } from './usage-ledger.ts'
import { dayOf, endOfDayMs } from './usage-tally.ts'

/** What the ledger stands on. */
export interface UsageLedgerPorts {
  readonly store: UsageCounterStore
  readonly log: Pick<DecisionLog, 'read'>
  /** Namespaces that there are. */
  readonly namespaces: readonly string[]
  readonly clock: Clock
  /** Counters held in memory. About 1000 bytes each. */
  readonly maxCounters: number
  readonly onFailure: (error: unknown) => void
  readonly periodMs?: number
}

/** A ledger that keeps what it counts. */
export interface KeptUsageLedger extends UsageLedger {
  /** Keeps what was counted since the last time. What cannot be kept waits for the next. Never rejects. */
  flush(): Promise<void>
  close(): Promise<void>
}

/**
 * The ledger of use, as it was when the last process ended, however it did: the counters that were kept last, and what
 * the decision log holds since. Nothing that is recorded is lost, because a call is recorded before it is made, and what
 * was counted and not recorded was not made. Calls under way begin at 0. Counters are kept every `periodMs`, which is
 * only how much of the log a start has to read.
 */
export async function openUsageLedger(ports: UsageLedgerPorts): Promise<KeptUsageLedger> {
  const { store, log, clock, maxCounters, onFailure } = ports
  const marks = new Map((await store.marks()).map((mark) => [mark.namespace, mark]))
  const time = createAdvancingClock(clock, Math.max(0, ...[...marks.values()].map(({ atMs }) => atMs)))
  const book = new UsageBook({ time, store, maxCounters })
  let day = dayOf(time.nowMs())

  // Those of yesterday too: their last minute may reach into this day.
  const kept = await store.load(day - 1, maxCounters + 1)
  book.restore(kept.slice(0, maxCounters), kept.length <= maxCounters)
  for (const namespace of new Set([...ports.namespaces, ...marks.keys()]))
    await recoverUsage(namespace, marks.get(namespace), endOfDayMs(day - 1), log, book)

  let writing = Promise.resolve()
  /** One after the other, so that what a failed one gives back is there for the next. */
  const flush = (): Promise<void> => (writing = writing.then(write))

  async function write(): Promise<void> {
    const taken = book.takeUnkept()
    let isKept = false
    try {
      const atMs = Math.ceil(time.nowMs())
      const newMarks = [...taken.throughIndexes].map(([namespace, throughIndex]) => ({ namespace, throughIndex, atMs }))
      if (taken.counters.length + newMarks.length > 0) await store.save(taken.counters, newMarks)
      isKept = true
      await turnDay()
    } catch (error) {
      // What was counted still counts, and is kept later; until then a start would read it from the log.
      onFailure(error)
    } finally {
      book.kept(taken, isKept)
    }
  }

  async function turnDay(): Promise<void> {
    const today = dayOf(time.nowMs())
    if (today === day) return
    await store.forgetBefore(today - 1)
    book.forgetEmpty()
    day = today
  }

  await flush()
  const timer = setInterval(() => void flush(), ports.periodMs ?? 5_000)
  timer.unref()
  return {
    ready: (key) => book.ready(key),
    read: (key) => book.read(key),
    begin: (key, spend) => book.begin(key, spend),
    forecast: (key) => book.forecast(key),
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}
