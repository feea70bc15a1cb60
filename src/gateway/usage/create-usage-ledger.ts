import { McpworksError, type Clock } from '../../kernel/index.ts'
import { createAdvancingClock } from './advancing-clock.ts'
import { UsageCounter } from './usage-counter.ts'
import type { CountedCall, UsageForecast, UsageKey, UsageLedger } from './usage-ledger.ts'
import { dayOf, endOfDayMs } from './usage-tally.ts'

/** Counts in the memory of this process. */
export function createUsageLedger({ clock }: { readonly clock: Clock }): UsageLedger {
  const time = createAdvancingClock(clock)
  const counters = new Map<string, UsageCounter>()

  function counterOf(namespace: string, principal: string, target: string | null): UsageCounter {
    const id = JSON.stringify([namespace, principal, target])
    const known = counters.get(id)
    if (known !== undefined) return known
    const none = { day: 0, calls: 0, bytesOut: 0, spend: 0, minute: [], throughIndex: -1 }
    const counter = new UsageCounter({ namespace, principal, target, ...none })
    counters.set(id, counter)
    return counter
  }

  function pairOf({ namespace, principal, target }: UsageKey): { agent: UsageCounter; tool: UsageCounter } {
    return { agent: counterOf(namespace, principal, null), tool: counterOf(namespace, principal, target) }
  }

  const usageAt = ({ agent, tool }: ReturnType<typeof pairOf>, timeMs: number) => ({
    agent: agent.figuresAt(timeMs),
    tool: tool.figuresAt(timeMs),
  })

  return {
    ready: () => null,
    read: (key) => usageAt(pairOf(key), time.nowMs()),
    begin(key, spend): CountedCall {
      if (!Number.isSafeInteger(spend) || spend < 0)
        throw new McpworksError('internal', { detail: 'what a call spends is a whole number, 0 or more' })
      const pair = Object.values(pairOf(key))
      const timeMs = time.nowMs()
      const use = { calls: 1, bytesOut: 0, spend }
      for (const counter of pair) counter.begin(timeMs, use)
      let isDecided = false
      return {
        decided(index) {
          isDecided = true
          for (const counter of pair) counter.settle(timeMs, use, index)
        },
        handedOut(bytes, index) {
          const nowMs = time.nowMs()
          for (const counter of pair) counter.handOut(nowMs, bytes, index)
        },
        end() {
          for (const counter of pair) {
            if (!isDecided) counter.undo(timeMs, use)
            counter.end()
          }
        },
      }
    },
    forecast(key): UsageForecast[] {
      const pair = pairOf(key)
      const nowMs = time.nowMs()
      const tomorrowMs = endOfDayMs(dayOf(nowMs))
      const releases = [...pair.agent.releasesAfter(nowMs), ...pair.tool.releasesAfter(nowMs)]
      const moments = [...new Set([...releases, tomorrowMs])].sort((left, right) => left - right)
      return moments.map((timeMs) => ({ afterMs: Math.ceil(timeMs - nowMs), usage: usageAt(pair, timeMs) }))
    },
  }
}
