import type { FromLauncher, Launcher, OuterJail } from '../launcher/launcher.ts'

/** A process that makes one jail after the other. */
export interface Slot {
  readonly number: number
  /** Whether it has made a jail before. */
  readonly isUsed: boolean
  /** It is free again. Once, or `spoil`. */
  give(): void
  /** It is of no use any more. */
  spoil(): void
}

/** One zygote process. */
interface Generation {
  readonly name: string
  readonly slots: Set<number>
  readonly free: number[]
  made: number
}

/** Jails that are forked from one zygote before another takes its place: they share its hash seed and address-space layout. */
const jailsOfOneZygote = 1000
const firstPauseMs = 100
const longestPauseMs = 30_000

type ZygoteMessage = Extract<FromLauncher, { type: 'zygote-ready' | 'zygote-lost' | 'slot-lost' }>

/** The zygotes of one runtime: the one in use, the one that takes its place, and those whose last jails are ending. */
export class Zygotes {
  /** Settles when the first is ready. @throws Error with why it could not be started */
  readonly first: Promise<void>
  readonly #name: string
  readonly #outer: OuterJail
  readonly #plan: object
  readonly #launcher: Launcher
  readonly #numbers: { next: number }
  readonly #first = Promise.withResolvers<undefined>()
  readonly #all = new Map<string, Generation>()
  readonly #waiting: ((slot: Slot) => void)[] = []
  #current: Generation | null = null
  #starting: string | null = null
  #generation = 0
  #pauseMs = firstPauseMs

  constructor(name: string, outer: OuterJail, plan: object, launcher: Launcher, numbers: { next: number }) {
    this.#name = name
    this.#outer = outer
    this.#plan = plan
    this.#launcher = launcher
    this.#numbers = numbers
    this.first = this.#first.promise
    this.#start()
  }

  /** A free slot, or a new one. Waits while there is no zygote. */
  async take(): Promise<Slot> {
    const current = this.#current
    if (current !== null) return this.#slotOf(current)
    const { promise, resolve } = Promise.withResolvers<Slot>()
    this.#waiting.push(resolve)
    return await promise
  }

  /** A message of the launcher about a zygote or a slot, perhaps of another runtime. */
  tell(message: ZygoteMessage): void {
    if (message.type === 'slot-lost') this.#forgetSlot(message.slot)
    else if (message.zygote === this.#starting && message.type === 'zygote-ready') this.#replace(message.zygote)
    else if (message.type === 'zygote-lost') this.#lose(message.zygote, message.why)
  }

  #start(): void {
    this.#generation += 1
    this.#starting = `${this.#name}-${String(this.#generation)}`
    this.#launcher.startZygote(this.#starting, this.#outer, this.#plan)
  }

  #replace(name: string): void {
    const old = this.#current
    this.#starting = null
    this.#pauseMs = firstPauseMs
    this.#current = { name, slots: new Set(), free: [], made: 0 }
    this.#all.set(name, this.#current)
    if (old !== null) this.#retire(old)
    this.#first.resolve(undefined)
    for (const resolve of this.#waiting.splice(0)) resolve(this.#slotOf(this.#current))
  }

  /** Slots that are free end; the others when they become so, and the zygote after the last. */
  #retire(generation: Generation): void {
    for (const slot of generation.free.splice(0)) this.#close(generation, slot)
    if (generation.slots.size === 0 && this.#all.delete(generation.name))
      this.#launcher.send({ type: 'end', zygote: generation.name })
  }

  #close(generation: Generation, slot: number): void {
    generation.slots.delete(slot)
    this.#launcher.send({ type: 'close', slot })
  }

  #slotOf(generation: Generation): Slot {
    generation.made += 1
    if (generation.made === jailsOfOneZygote && this.#starting === null) this.#start()
    const free = generation.free.pop()
    const number = free ?? this.#newSlot(generation)
    return {
      number,
      isUsed: free !== undefined,
      give: () => this.#take(generation, number),
      spoil: () => {
        this.#close(generation, number)
        if (generation !== this.#current) this.#retire(generation)
      },
    }
  }

  #newSlot(generation: Generation): number {
    const number = this.#numbers.next
    this.#numbers.next += 1
    generation.slots.add(number)
    this.#launcher.send({ type: 'slot', zygote: generation.name, slot: number })
    return number
  }

  #take(generation: Generation, slot: number): void {
    if (!generation.slots.has(slot)) return
    generation.free.push(slot)
    if (generation !== this.#current) this.#retire(generation)
  }

  #forgetSlot(slot: number): void {
    for (const generation of this.#all.values()) {
      if (!generation.slots.delete(slot)) continue
      const index = generation.free.indexOf(slot)
      if (index !== -1) generation.free.splice(index, 1)
      if (generation !== this.#current) this.#retire(generation)
    }
  }

  #lose(name: string, why: string): void {
    if (name === this.#starting) {
      this.#starting = null
      this.#first.reject(new Error(why.trim() === '' ? `the zygote for ${this.#name} ended at its start` : why.trim()))
      this.#startLater()
    } else if (name === this.#current?.name) {
      this.#all.delete(name)
      this.#current = null
      if (this.#starting === null) this.#startLater()
    } else this.#all.delete(name)
  }

  #startLater(): void {
    setTimeout(() => this.#start(), this.#pauseMs).unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }
}
