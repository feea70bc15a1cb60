import { McpworksError } from '../../kernel/index.ts'
import type { CallUsage } from '../../policy/index.ts'
import type { AdvancingClock } from './advancing-clock.ts'
import { UsageCounter, type UsageCounterState } from './usage-counter.ts'
import type { UsageCounterStore } from './usage-counter-store.ts'
import type { CountedCall, UsageForecast, UsageKey, UsageLedger } from './usage-ledger.ts'
import { dayOf, endOfDayMs, type Use } from './usage-tally.ts'

/** What the book stands on. */
export interface UsageBookParts {
  readonly time: AdvancingClock
  readonly store: Pick<UsageCounterStore, 'find'>
  /**
   * Counters held in memory; the one used longest ago gives way and is read again when it is needed. One that holds what
   * is not kept yet stays, so that there can be more for as long as that takes.
   */
  readonly maxCounters: number
}

/** What of the book is not kept yet. */
export interface UnkeptUse {
  readonly counters: readonly UsageCounterState[]
  /** Index of the newest record that is counted, by namespace. */
  readonly throughIndexes: ReadonlyMap<string, number>
}

interface Pair {
  readonly agent: UsageCounter
  readonly tool: UsageCounter
}

/** How many counters are looked at for one that can give way. */
const evictionLooks = 64

/** Counters in memory. Keeps nothing by itself: `takeUnkept` gives what is to be kept. */
export class UsageBook implements UsageLedger {
  readonly #parts: UsageBookParts
  readonly #counters = new Map<string, UsageCounter>()
  readonly #unkept = new Set<UsageCounter>()
  #beingKept: ReadonlySet<UsageCounter> = new Set()
  readonly #throughIndexes = new Map<string, number>()
  readonly #loading = new Map<string, Promise<void>>()
  /** Whether what is not in memory was never counted. */
  #isComplete = true

  constructor(parts: UsageBookParts) {
    this.#parts = parts
  }

  ready(key: UsageKey): Promise<void> | null {
    if (this.#isReady(key)) return null
    const [, id] = idsOf(key)
    const underWay = this.#loading.get(id)
    if (underWay !== undefined) return underWay
    const loading = this.#load(key).finally(() => this.#loading.delete(id))
    this.#loading.set(id, loading)
    return loading
  }

  read(key: UsageKey): CallUsage {
    return usageAt(this.#pairOf(key), this.#parts.time.nowMs())
  }

  begin(key: UsageKey, spend: number): CountedCall {
    if (!Number.isSafeInteger(spend) || spend < 0)
      throw new McpworksError('internal', { detail: 'what a call spends is a whole number, 0 or more' })
    const pair = this.#both(key)
    const timeMs = this.#parts.time.nowMs()
    const use = { calls: 1, bytesOut: 0, spend }
    for (const counter of pair) counter.begin(timeMs, use)
    let isDecided = false
    return {
      decided: (index) => {
        isDecided = true
        for (const counter of pair) counter.settle(timeMs, use, index)
        this.#settled(pair, key.namespace, index)
      },
      handedOut: (bytes, index) => {
        const nowMs = this.#parts.time.nowMs()
        for (const counter of pair) counter.handOut(nowMs, bytes, index)
        this.#settled(pair, key.namespace, index)
      },
      end() {
        for (const counter of pair) {
          if (!isDecided) counter.undo(timeMs, use)
          counter.end()
        }
      },
    }
  }

  forecast(key: UsageKey): UsageForecast[] {
    const pair = this.#pairOf(key)
    const nowMs = this.#parts.time.nowMs()
    const tomorrowMs = endOfDayMs(dayOf(nowMs))
    const releases = [...pair.agent.releasesAfter(nowMs), ...pair.tool.releasesAfter(nowMs)]
    const moments = [...new Set([...releases, tomorrowMs])].sort((left, right) => left - right)
    return moments.map((timeMs) => ({ afterMs: Math.ceil(timeMs - nowMs), usage: usageAt(pair, timeMs) }))
  }

  /** Puts counters as they were kept into the book, unless they are there. `isAll` is false where more are kept. */
  restore(states: readonly UsageCounterState[], isAll: boolean): void {
    if (!isAll) this.#isComplete = false
    for (const state of states) {
      const id = idOf(state.namespace, state.principal, state.target)
      if (!this.#counters.has(id)) this.#counters.set(id, new UsageCounter(state))
    }
  }

  /** Counts what the log says of a key that is ready, unless it is counted. */
  addRecorded(key: UsageKey, timeMs: number, use: Use, index: number): void {
    const pair = this.#both(key)
    for (const counter of pair) counter.addRecorded(timeMs, use, index)
    this.#settled(pair, key.namespace, index)
  }

  /** Every record of the namespace's log up to this index is counted. */
  noteRead(namespace: string, index: number): void {
    this.#raiseMark(namespace, index)
  }

  /** What is not kept yet. Is told how keeping it went by `kept`, before it is asked again. */
  takeUnkept(): UnkeptUse {
    const nowMs = this.#parts.time.nowMs()
    this.#beingKept = new Set(this.#unkept)
    const throughIndexes = new Map(this.#throughIndexes)
    this.#unkept.clear()
    this.#throughIndexes.clear()
    return { counters: [...this.#beingKept].map((counter) => counter.stateAt(nowMs)), throughIndexes }
  }

  /** Whether what was taken is kept. What is not will be taken again. */
  kept(taken: UnkeptUse, isKept: boolean): void {
    if (!isKept) {
      for (const counter of this.#beingKept) this.#unkept.add(counter)
      for (const [namespace, index] of taken.throughIndexes) this.#raiseMark(namespace, index)
    }
    this.#beingKept = new Set()
  }

  /** Lets go of counters in which nothing is left. */
  forgetEmpty(): void {
    const nowMs = this.#parts.time.nowMs()
    for (const [id, counter] of this.#counters)
      if (counter.isEmptyAt(nowMs) && !this.#unkept.has(counter) && !this.#beingKept.has(counter))
        this.#counters.delete(id)
  }

  /** Counters in memory. */
  get size(): number {
    return this.#counters.size
  }

  #isReady(key: UsageKey): boolean {
    return this.#isComplete || idsOf(key).every((id) => this.#counters.has(id))
  }

  async #load(key: UsageKey): Promise<void> {
    this.restore(await this.#parts.store.find(key), false)
    this.#useLast(key)
  }

  #both(key: UsageKey): readonly UsageCounter[] {
    const { agent, tool } = this.#pairOf(key)
    return [agent, tool]
  }

  #pairOf(key: UsageKey): Pair {
    if (!this.#isReady(key))
      throw new McpworksError('internal', { detail: 'a counter of use was read that was not made ready' })
    return this.#useLast(key)
  }

  /** Both counters of a key, put where they give way last. What is not there counts nothing yet. */
  #useLast(key: UsageKey): Pair {
    const { namespace, principal, target } = key
    const [agentId, toolId] = idsOf(key)
    const agent = this.#counters.get(agentId) ?? emptyCounter(namespace, principal, null)
    const tool = this.#counters.get(toolId) ?? emptyCounter(namespace, principal, target)
    this.#counters.delete(agentId)
    this.#counters.delete(toolId)
    this.#counters.set(agentId, agent)
    this.#counters.set(toolId, tool)
    this.#makeRoom(agent)
    return { agent, tool }
  }

  /** Lets counters go that were used before this one, as many as there are too many. */
  #makeRoom(kept: UsageCounter): void {
    let looks = evictionLooks
    for (const [id, candidate] of this.#counters) {
      if (this.#counters.size <= this.#parts.maxCounters || looks-- === 0 || candidate === kept) return
      if (!candidate.isIdle || this.#unkept.has(candidate) || this.#beingKept.has(candidate)) continue
      this.#counters.delete(id)
      this.#isComplete = false
    }
  }

  #settled(pair: readonly UsageCounter[], namespace: string, index: number): void {
    for (const counter of pair) this.#unkept.add(counter)
    this.#raiseMark(namespace, index)
  }

  #raiseMark(namespace: string, index: number): void {
    this.#throughIndexes.set(namespace, Math.max(index, this.#throughIndexes.get(namespace) ?? -1))
  }
}

function usageAt({ agent, tool }: Pair, timeMs: number): CallUsage {
  return { agent: agent.figuresAt(timeMs), tool: tool.figuresAt(timeMs) }
}

function emptyCounter(namespace: string, principal: string, target: string | null): UsageCounter {
  const nothing = { day: 0, calls: 0, bytesOut: 0, spend: 0, minute: [], throughIndex: -1 }
  return new UsageCounter({ namespace, principal, target, ...nothing })
}

const idOf = (namespace: string, principal: string, target: string | null): string =>
  JSON.stringify([namespace, principal, target])

const idsOf = ({ namespace, principal, target }: UsageKey): readonly [agent: string, tool: string] => [
  idOf(namespace, principal, null),
  idOf(namespace, principal, target),
]
