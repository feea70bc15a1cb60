import { uuidv7, type Clock } from '../../kernel/index.ts'
import type { Run, RunStore, StoredRun } from './run.ts'

/** Gives calls the run that they belong to. */
export interface RunLedger {
  /**
   * The run of a principal's work, which does not end before `leave` is called, once. It lasts until no call was made or
   * under way for too long. It does not depend on the credential: another one begins no clean run.
   */
  enter(namespace: string, principal: string): { readonly run: Run; leave(): void }
}

/** A ledger that keeps the runs that hold labels. */
export interface KeptRunLedger extends RunLedger {
  /** Keeps when labelled runs were last used. What cannot be kept waits for the next time. Never rejects. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** What the ledger stands on. */
export interface RunLedgerPorts {
  readonly store: RunStore
  readonly clock: Clock
  /** Milliseconds without a call after which a run is over. */
  readonly idleMs: number
  readonly onFailure: (error: unknown) => void
  readonly periodMs?: number
}

/** The runs that still last, as they were when the last process ended. Time without a server counts as time without a call. */
export async function openRunLedger(ports: RunLedgerPorts): Promise<KeptRunLedger> {
  const { store, clock, idleMs } = ports
  await store.forgetBefore(clock.nowMs() - idleMs)
  return createRunLedger(ports, await store.load())
}

interface Held extends Run {
  readonly namespace: string
  readonly principal: string
  underWay: number
  /** Of the monotonic clock. */
  lastUsedMs: number
  isTouched: boolean
}

/**
 * Runs in memory, those with labels also in the store: a label is there before the call that it comes from is made.
 * There are as many as principals that were at work lately: one that lasts is never given up for another.
 */
export function createRunLedger(ports: RunLedgerPorts, stored: readonly StoredRun[] = []): KeptRunLedger {
  const { store, clock, idleMs, onFailure } = ports
  const runs = new Map<string, Held>()
  for (const { lastUsedMs, ...run } of stored) {
    // A clock that was set back since makes no run older than it is.
    const idleForMs = Math.max(0, clock.nowMs() - lastUsedMs)
    if (idleForMs >= idleMs) continue
    const held = hold(run.namespace, run.principal, run.id, run.labels)
    held.lastUsedMs = clock.monotonicMs() - idleForMs
    runs.set(keyOf(run.namespace, run.principal), held)
  }

  function hold(namespace: string, principal: string, id: string, keptLabels: readonly string[]): Held {
    let labels = keptLabels
    let kept = keptLabels
    let keeping: Promise<void> | null = null
    const held: Held = {
      id,
      namespace,
      principal,
      underWay: 0,
      lastUsedMs: clock.monotonicMs(),
      isTouched: false,
      get labels() {
        return labels
      },
      gather(more) {
        if (more.every((label) => labels.includes(label))) return
        labels = [...new Set([...labels, ...more])].sort()
      },
      async kept() {
        const needed = labels
        while (needed.some((label) => !kept.includes(label))) {
          keeping ??= keep().finally(() => (keeping = null))
          await keeping
        }
      },
    }
    async function keep(): Promise<void> {
      const taken = labels
      await store.save([storedForm(held)])
      kept = taken
    }
    return held
  }

  const isOver = ({ underWay, lastUsedMs }: Held): boolean =>
    underWay === 0 && clock.monotonicMs() - lastUsedMs >= idleMs

  function storedForm({ namespace, principal, id, labels, lastUsedMs }: Held): StoredRun {
    const idleForMs = Math.round(clock.monotonicMs() - lastUsedMs)
    return { namespace, principal, id, labels, lastUsedMs: clock.nowMs() - idleForMs }
  }

  function touch(held: Held): void {
    held.lastUsedMs = clock.monotonicMs()
    held.isTouched = true
  }

  function forgetThoseThatAreOver(): void {
    for (const [key, run] of runs) if (isOver(run)) runs.delete(key)
  }

  let writing = Promise.resolve()
  const flush = (): Promise<void> => (writing = writing.then(write))

  async function write(): Promise<void> {
    forgetThoseThatAreOver()
    const due = [...runs.values()].filter(({ labels, isTouched }) => labels.length > 0 && isTouched)
    if (due.length === 0) return
    for (const run of due) run.isTouched = false
    try {
      await store.save(due.map(storedForm))
    } catch (error) {
      // The labels themselves are kept already, and until the next time the run only looks idle for longer.
      for (const run of due) run.isTouched = true
      onFailure(error)
    }
  }

  const timer = setInterval(() => void flush(), ports.periodMs ?? 5_000)
  timer.unref()

  return {
    enter(namespace, principal) {
      const key = keyOf(namespace, principal)
      const known = runs.get(key)
      const run = known !== undefined && !isOver(known) ? known : hold(namespace, principal, uuidv7(clock.nowMs()), [])
      runs.set(key, run)
      run.underWay += 1
      touch(run)
      return {
        run,
        leave() {
          run.underWay -= 1
          touch(run)
        },
      }
    },
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

const keyOf = (namespace: string, principal: string): string => JSON.stringify([namespace, principal])
