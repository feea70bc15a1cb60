import type { Clock, Principal } from '../../kernel/index.ts'
import type { LimitsConfig } from './config.ts'
import { overLimit, type LimitVerdict } from './limit-verdict.ts'
import type { Usage, UsageHolder, UsageStore } from './usage-store.ts'

/** A call that may begin. `end` is to be called once, when it is over. */
export type CallPlace = { readonly ok: true; end(): void } | Extract<LimitVerdict, { ok: false }>

/** How many calls agents and namespaces make, and have under way. Also to be read by what decides about calls. */
export interface CallQuotas {
  /** Takes a place for a call and counts it with the bytes that it came with, or says which quota is used up. */
  begin(principal: Principal, namespace: string, bytesIn: number): CallPlace
  /** What was used today, in UTC. */
  usedToday(holder: UsageHolder): Usage
  /** Calls under way. */
  underWay(holder: UsageHolder): number
  /** Writes what was counted since the last time. What cannot be written waits for the next. Never rejects. */
  flush(): Promise<void>
  close(): Promise<void>
}

interface Count {
  readonly holder: UsageHolder
  calls: number
  bytesIn: number
  newCalls: number
  newBytes: number
}

const dayMs = 86_400_000

/**
 * Counts in memory and adds to the store every `periodMs`. A crash loses what was counted since: it errs in favour of
 * the caller, by at most that time's calls. Concurrent calls are those of this process.
 */
export async function createCallQuotas(ports: {
  readonly store: UsageStore
  readonly config: LimitsConfig
  readonly clock: Clock
  readonly onFailure: (error: unknown) => void
  readonly periodMs?: number
}): Promise<CallQuotas> {
  const { store, config, clock } = ports
  const counts = new Map<string, Count>()
  const running = new Map<string, number>()
  let dayNumber = Math.floor(clock.nowMs() / dayMs)
  for (const { kind, id, calls, bytesIn } of await store.load(dayOf(dayNumber)))
    counts.set(keyOf({ kind, id }), { holder: { kind, id }, calls, bytesIn, newCalls: 0, newBytes: 0 })
  await store.forgetBefore(dayOf(dayNumber))

  /** What a day that is over has not written yet. */
  let leftOver: { readonly day: string; readonly uses: (UsageHolder & Usage)[] }[] = []

  function turnDay(): void {
    const today = Math.floor(clock.nowMs() / dayMs)
    // A clock that is set back must not give a used up day again.
    if (today <= dayNumber) return
    const uses = takeNew()
    if (uses.length > 0) leftOver.push({ day: dayOf(dayNumber), uses })
    counts.clear()
    dayNumber = today
  }

  function takeNew(): (UsageHolder & Usage)[] {
    const uses: (UsageHolder & Usage)[] = []
    for (const count of counts.values()) {
      if (count.newCalls === 0 && count.newBytes === 0) continue
      uses.push({ ...count.holder, calls: count.newCalls, bytesIn: count.newBytes })
      count.newCalls = 0
      count.newBytes = 0
    }
    return uses
  }

  function countOf(holder: UsageHolder): Count {
    const key = keyOf(holder)
    const known = counts.get(key)
    if (known !== undefined) return known
    const count = { holder, calls: 0, bytesIn: 0, newCalls: 0, newBytes: 0 }
    counts.set(key, count)
    return count
  }

  function exceeded(count: Count, most: { calls: number; bytes: number; concurrent: number }): LimitVerdict | null {
    const { kind } = count.holder
    const untilTomorrowMs = (dayNumber + 1) * dayMs - clock.nowMs()
    if ((running.get(keyOf(count.holder)) ?? 0) >= most.concurrent)
      return overLimit(`${most.concurrent} calls of one ${kind} under way`, 1000)
    if (count.calls >= most.calls) return overLimit(`${most.calls} calls of one ${kind} a day`, untilTomorrowMs)
    if (count.bytesIn >= most.bytes) return overLimit(`${most.bytes} bytes of one ${kind} a day`, untilTomorrowMs)
    return null
  }

  let writing = Promise.resolve()
  /** One after the other, so that what a failed one gives back is there for the next. */
  const flush = (): Promise<void> => (writing = writing.then(write))

  async function write(): Promise<void> {
    turnDay()
    const due = [...leftOver, { day: dayOf(dayNumber), uses: takeNew() }]
    leftOver = []
    for (const part of due) {
      if (part.uses.length === 0) continue
      // oxlint-disable-next-line mcpworks/catch-fails-closed -- what was counted still counts, and is written later
      await store.add(part.day, part.uses).catch((error: unknown) => {
        leftOver.push(part)
        ports.onFailure(error)
      })
    }
  }

  const timer = setInterval(() => void flush(), ports.periodMs ?? 5_000)
  timer.unref()

  return {
    begin(principal, namespace, bytesIn) {
      turnDay()
      const own = countOf({ kind: principal.type, id: principal.id })
      const all = countOf({ kind: 'namespace', id: namespace })
      const refusal =
        exceeded(own, {
          calls: config.agentCallsPerDay,
          bytes: config.agentBytesPerDay,
          concurrent: config.agentConcurrentCalls,
        }) ??
        exceeded(all, {
          calls: config.namespaceCallsPerDay,
          bytes: config.namespaceBytesPerDay,
          concurrent: config.namespaceConcurrentCalls,
        })
      if (refusal?.ok === false) return refusal
      for (const count of [own, all]) {
        count.calls = add(count.calls, 1)
        count.bytesIn = add(count.bytesIn, bytesIn)
        count.newCalls = add(count.newCalls, 1)
        count.newBytes = add(count.newBytes, bytesIn)
        const key = keyOf(count.holder)
        running.set(key, (running.get(key) ?? 0) + 1)
      }
      return {
        ok: true,
        end() {
          for (const { holder } of [own, all]) {
            const left = (running.get(keyOf(holder)) ?? 1) - 1
            if (left > 0) running.set(keyOf(holder), left)
            else running.delete(keyOf(holder))
          }
        },
      }
    },
    usedToday(holder) {
      turnDay()
      const { calls, bytesIn } = counts.get(keyOf(holder)) ?? { calls: 0, bytesIn: 0 }
      return { calls, bytesIn }
    },
    underWay: (holder) => running.get(keyOf(holder)) ?? 0,
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}

/** No id of one kind can be taken for one of another. */
function keyOf({ kind, id }: UsageHolder): string {
  return `${kind} ${id}`
}

/** A count that has reached the largest exact number stays there. */
function add(count: number, more: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, count + more)
}

function dayOf(dayNumber: number): string {
  return new Date(dayNumber * dayMs).toISOString().slice(0, 10)
}
