import { RateLimiterMemory } from 'rate-limiter-flexible'

/** What a window may hold. */
export interface WindowBounds {
  /** How many fit into a window. */
  readonly points: number
  readonly seconds: number
  /** Keys counted at once. The one that began longest ago gives way to a new one: its count is forgotten. */
  readonly maxKeys: number
}

/** Where a count stands. */
export interface WindowCount {
  readonly isOver: boolean
  /** Until the window of this key ends, in milliseconds. */
  readonly endsInMs: number
}

/**
 * Counts by key in windows that begin with the first count of a key, in the memory of this process: after a restart,
 * and on another node, counting begins anew. Over the border of two windows twice `points` can pass at once.
 */
export class CountedWindow {
  readonly #bounds: WindowBounds
  readonly #limiter: RateLimiterMemory
  /** The limiter does not bound how many keys it holds. */
  readonly #keys = new Set<string>()

  constructor(bounds: WindowBounds) {
    this.#bounds = bounds
    this.#limiter = new RateLimiterMemory({ points: bounds.points, duration: bounds.seconds })
  }

  /** Counts one. */
  async count(key: string): Promise<WindowCount> {
    this.#makeRoom(key)
    const { consumedPoints, msBeforeNext } = await this.#limiter.penalty(key)
    return { isOver: consumedPoints > this.#bounds.points, endsInMs: msBeforeNext }
  }

  /** Whether anything was counted for the key, be it in a window that is over. */
  has(key: string): boolean {
    return this.#keys.has(key)
  }

  /** How many keys are held. */
  get size(): number {
    return this.#keys.size
  }

  #makeRoom(key: string): void {
    if (this.#keys.has(key)) return
    if (this.#keys.size >= this.#bounds.maxKeys) {
      const [oldest] = this.#keys
      if (oldest !== undefined) {
        this.#keys.delete(oldest)
        void this.#limiter.delete(oldest)
      }
    }
    this.#keys.add(key)
  }
}
