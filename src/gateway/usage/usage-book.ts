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
   * Counters held in memory; one not used for long gives way and is read again when it is needed. One that holds what
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

/** How many counters are looked at for ones that can give way. */
const evictionLooks = 64

/** Forecasts in a second; more would let denied calls cost much more than allowed ones. */
const forecastsPerSecond = 100

/** Counters in memory. Keeps nothing by itself: `takeUnkept` gives what is to be kept. */
export class UsageBook implements UsageLedger {
  readonly #parts: UsageBookParts
  readonly #counters = new Map<string, UsageCounter>()
  readonly #unkept = new Set<UsageCounter>()
  #beingKept: ReadonlySet<UsageCounter> = new Set()
  readonly #throughIndexes = new Map<string, number>()
  #forecasts = { second: 0, count: 0 }
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
    if (!this.#mayForecast(nowMs)) return []
    const tomorrowMs = endOfDayMs(dayOf(nowMs))
    const releases = [...pair.agent.releasesAfter(nowMs), ...pair.tool.releasesAfter(nowMs)]
    const moments = [...new Set([...releases, tomorrowMs])].sort((left, right) => left - right)
    return moments.map((timeMs) => ({ afterMs: Math.ceil(timeMs - nowMs), usage: usageAt(pair, timeMs) }))
  }

  #mayForecast(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000)
    if (this.#forecasts.second !== second) this.#forecasts = { second, count: 0 }
    this.#forecasts.count += 1
    return this.#forecasts.count <= forecastsPerSecond
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
    this.#use(key)
  }

  #both(key: UsageKey): readonly UsageCounter[] {
    const { agent, tool } = this.#pairOf(key)
    return [agent, tool]
  }

  #pairOf(key: UsageKey): Pair {
    if (!this.#isReady(key))
      throw new McpworksError('internal', { detail: 'a counter of use was read that was not made ready' })
    return this.#use(key)
  }

  /** Both counters of a key. What is not there counts nothing yet. */
  #use(key: UsageKey): Pair {
    const { namespace, principal, target } = key
    const [agentId, toolId] = idsOf(key)
    const agent = this.#counters.get(agentId) ?? emptyCounter(namespace, principal, null)
    const tool = this.#counters.get(toolId) ?? emptyCounter(namespace, principal, target)
    agent.wasUsed = true
    tool.wasUsed = true
    const before = this.#counters.size
    this.#counters.set(agentId, agent)
    this.#counters.set(toolId, tool)
    if (this.#counters.size > before) this.#makeRoom([agent, tool])
    return { agent, tool }
  }

  /** Lets counters go, as many as there are too many: first those that were not used since they were last looked at. */
  #makeRoom(kept: readonly UsageCounter[]): void {
    let looks = evictionLooks
    for (const [id, candidate] of this.#counters) {
      if (this.#counters.size <= this.#parts.maxCounters || looks-- === 0) return
      this.#counters.delete(id)
      if (this.#mayGo(candidate) && !kept.includes(candidate)) {
        this.#isComplete = false
        continue
      }
      candidate.wasUsed = false
      this.#counters.set(id, candidate)
    }
  }

  #mayGo(counter: UsageCounter): boolean {
    return !counter.wasUsed && counter.isIdle && !this.#unkept.has(counter) && !this.#beingKept.has(counter)
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
