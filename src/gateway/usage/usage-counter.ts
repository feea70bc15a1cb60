import type { UsageFigures } from '../../policy/index.ts'
import { UsageTally, type TallyState, type Use } from './usage-tally.ts'

/** One counter as it is kept. It holds everything that the log says up to `throughIndex`, and nothing beyond. */
export interface UsageCounterState extends TallyState {
  readonly namespace: string
  readonly principal: string
  /** `null` for the principal's use in all. */
  readonly target: string | null
  /** Index in the namespace's log of the newest record that was counted; -1 where none was. */
  readonly throughIndex: number
}

/** Counts the use of one principal, in all or of one thing. */
export class UsageCounter {
  readonly namespace: string
  readonly principal: string
  readonly target: string | null
  /** Whether it was used since somebody last looked for counters that can give way. */
  wasUsed = true
  /** What was allowed, be it recorded already or not. What limits are held against. */
  readonly #live: UsageTally
  /** What the log holds. What is kept. */
  readonly #settled: UsageTally
  #throughIndex: number
  #running = 0
  #unsettled = 0

  constructor(state: UsageCounterState) {
    this.namespace = state.namespace
    this.principal = state.principal
    this.target = state.target
    this.#live = new UsageTally(state)
    this.#settled = new UsageTally(state)
    this.#throughIndex = state.throughIndex
  }

  figuresAt(timeMs: number): UsageFigures {
    return { ...this.#live.figuresAt(timeMs), running: this.#running }
  }

  releasesAfter(timeMs: number): number[] {
    return this.#live.releasesAfter(timeMs)
  }

  begin(timeMs: number, use: Use): void {
    this.#live.add(timeMs, use)
    this.#running += 1
    this.#unsettled += 1
  }

  undo(timeMs: number, use: Use): void {
    this.#live.takeBack(timeMs, use)
    this.#unsettled -= 1
  }

  /** What `begin` counted is recorded at this index. */
  settle(timeMs: number, use: Use, index: number): void {
    this.#settled.add(timeMs, use)
    this.#throughIndex = Math.max(this.#throughIndex, index)
    this.#unsettled -= 1
  }

  /** Counts what is recorded at this index and was not begun here, unless it is counted already. */
  addRecorded(timeMs: number, use: Use, index: number): void {
    if (index <= this.#throughIndex) return
    this.#live.add(timeMs, use)
    this.#settled.add(timeMs, use)
    this.#throughIndex = index
  }

  /** Counts the result of a call whose outcome is recorded at this index. */
  handOut(timeMs: number, bytesOut: number, index: number): void {
    const use = { calls: 0, bytesOut, spend: 0 }
    this.#live.add(timeMs, use)
    this.#settled.add(timeMs, use)
    this.#throughIndex = Math.max(this.#throughIndex, index)
  }

  end(): void {
    this.#running -= 1
  }

  /** Whether nothing would be lost without it, once what it holds is kept. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#unsettled === 0
  }

  isEmptyAt(timeMs: number): boolean {
    return this.isIdle && this.#live.isEmptyAt(timeMs)
  }

  stateAt(timeMs: number): UsageCounterState {
    const { namespace, principal, target } = this
    return { namespace, principal, target, throughIndex: this.#throughIndex, ...this.#settled.stateAt(timeMs) }
  }
}
