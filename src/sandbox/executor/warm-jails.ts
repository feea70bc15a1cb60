import type { JailOrder } from '../sandbox-engine.ts'
import type { JailSource } from './jail-source.ts'
import type { SealedJail, SealedResult } from './sealed-jail.ts'

/** Jails that were made for one order before anybody asked. */
interface Shelf {
  readonly order: JailOrder
  readonly jails: SealedJail[]
  /** How many are to wait. Grows when one was missing, shrinks when one waited in vain. */
  wanted: number
  coming: number
  lastUsedMs: number
}

/** How warm jails are kept. */
export interface WarmBounds {
  /** Of all orders together. */
  readonly most: number
  /** A shelf that nobody asked for this long loses a jail, and so on until it has none. */
  readonly idleMs: number
  /** Whether the machine has memory to spare. */
  readonly hasRoom: () => boolean
  /** Milliseconds, from a clock that only goes forward. */
  readonly now: () => number
}

/**
 * Jails made in advance. Each is handed out once and to one execution only; one that has ended or has said anything while
 * it waited is killed. Where none waits, one is made as if there were no shelf, so a pool never makes a call wait.
 */
export class WarmJails implements JailSource {
  readonly #source: JailSource
  readonly #bounds: WarmBounds
  readonly #shelves = new Map<string, Shelf>()
  readonly #sweep: NodeJS.Timeout
  readonly #closing = new AbortController()
  readonly #arrivals = new Set<Promise<void>>()

  constructor(source: JailSource, bounds: WarmBounds) {
    this.#source = source
    this.#bounds = bounds
    this.#sweep = setInterval(() => this.sweep(), bounds.idleMs / 4).unref()
  }

  async take(order: JailOrder, signal?: AbortSignal): Promise<SealedResult> {
    const shelf = this.#shelfOf(order)
    shelf.lastUsedMs = this.#bounds.now()
    const jail = takeFit(shelf.jails)
    if (jail !== null) {
      this.#refill(shelf)
      return { ok: true, jail }
    }
    shelf.wanted = Math.min(shelf.wanted + 1, this.#bounds.most)
    const made = await this.#source.take(order, signal)
    // After the one that somebody waits for, never beside it.
    this.#refill(shelf)
    return made
  }

  /** Settles when what waits and what is being made is gone. */
  async close(): Promise<void> {
    this.#closing.abort()
    clearInterval(this.#sweep)
    const waiting = [...this.#shelves.values()].flatMap(({ jails }) => jails.splice(0))
    for (const jail of waiting) jail.kill()
    await Promise.all([...waiting.map(async ({ ended }) => await ended), ...this.#arrivals])
    await this.#source.close()
  }

  /** Gives up jails that nobody has asked for in a while, and all where memory is short. */
  sweep(): void {
    const { idleMs, hasRoom, now } = this.#bounds
    const isShort = !hasRoom()
    for (const [key, shelf] of this.#shelves) {
      if (!isShort && now() - shelf.lastUsedMs < idleMs) continue
      shelf.wanted = isShort ? 0 : Math.max(0, shelf.wanted - 1)
      for (const jail of shelf.jails.splice(shelf.wanted)) jail.kill()
      if (shelf.wanted === 0 && shelf.coming === 0) this.#shelves.delete(key)
    }
  }

  #shelfOf(order: JailOrder): Shelf {
    const key = JSON.stringify(order)
    const known = this.#shelves.get(key)
    if (known !== undefined) {
      // The last used is the last in the map.
      this.#shelves.delete(key)
      this.#shelves.set(key, known)
      return known
    }
    const shelf: Shelf = { order, jails: [], wanted: 0, coming: 0, lastUsedMs: this.#bounds.now() }
    this.#shelves.set(key, shelf)
    return shelf
  }

  #refill(shelf: Shelf): void {
    while (shelf.jails.length + shelf.coming < shelf.wanted && this.#makeRoom(shelf)) {
      shelf.coming += 1
      const arrival = this.#arrive(shelf).finally(() => this.#arrivals.delete(arrival))
      this.#arrivals.add(arrival)
    }
  }

  async #arrive(shelf: Shelf): Promise<void> {
    const result = await this.#source.take(shelf.order, this.#closing.signal)
    shelf.coming -= 1
    if (!result.ok) return
    if (!this.#closing.signal.aborted && shelf.jails.length < shelf.wanted) return void shelf.jails.push(result.jail)
    result.jail.kill()
    await result.jail.ended
  }

  /** One more may wait, if need be in the place of one on the shelf that was not used for the longest time. */
  #makeRoom(shelf: Shelf): boolean {
    if (this.#closing.signal.aborted || !this.#bounds.hasRoom()) return false
    let count = 0
    for (const { jails, coming } of this.#shelves.values()) count += jails.length + coming
    if (count < this.#bounds.most) return true
    for (const other of this.#shelves.values()) {
      if (other === shelf) continue
      const jail = other.jails.pop()
      if (jail === undefined) continue
      other.wanted = other.jails.length
      jail.kill()
      return true
    }
    return false
  }
}

function takeFit(jails: SealedJail[]): SealedJail | null {
  for (let jail = jails.shift(); jail !== undefined; jail = jails.shift()) {
    if (jail.isFit) return jail
    jail.kill()
  }
  return null
}
