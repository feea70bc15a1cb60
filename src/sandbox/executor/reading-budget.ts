import type { Readable } from 'node:stream'

/** Of this process's time, what one jail gets for its streams to be read once it has used up its burst. */
const share = 0.1
/** Milliseconds of work that come before that. An honest call with a large result needs a tenth of it. */
const burstMs = 50
/** What a chunk costs at least, in the system call and on the way here, and at most: beyond it this process was not running. */
const leastMs = 0.015
const mostMs = 20
const leastRestMs = 5

/** Time as a budget sees it. */
export interface Time {
  nowMs(): number
  /** Calls back once after so many milliseconds; returns the way to call it off. */
  after(ms: number, callback: () => void): () => void
}

const realTime: Time = {
  nowMs: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Bounds what reading the streams of one jail costs this process, so that hosted code that makes much of a few bytes
 * cannot keep it busy for all others: after a burst all streams of the jail rest until their share of time has caught up.
 * The share is kept on average: what a paused stream had already read, at most 64 KiB, is reckoned when it is handed on.
 */
export class ReadingBudget {
  readonly #streams: Readable[] = []
  readonly #time: Time
  #debtMs = 0
  #sinceMs: number
  /** Ends the rest, while there is one. */
  #wake: (() => void) | null = null
  #isFree = false

  constructor(time: Time = realTime) {
    this.#time = time
    this.#sinceMs = time.nowMs()
  }

  /** Reads a stream to its end, chunk by chunk. */
  read(stream: Readable, take: (chunk: Buffer) => void): void {
    this.#streams.push(stream)
    stream.on('data', (chunk: Buffer) => {
      const beganMs = this.#time.nowMs()
      take(chunk)
      const endMs = this.#time.nowMs()
      this.#spend(Math.min(Math.max(endMs - beganMs, leastMs), mostMs), endMs)
    })
  }

  /** The jail is being killed and cannot write any more: what is left is read without rest. */
  lift(): void {
    this.#isFree = true
    this.#resume()
  }

  #spend(costMs: number, nowMs: number): void {
    this.#debtMs = Math.max(0, this.#debtMs - (nowMs - this.#sinceMs) * share) + costMs
    this.#sinceMs = nowMs
    if (this.#debtMs <= burstMs || this.#isFree || this.#wake !== null) return
    for (const stream of this.#streams) stream.pause()
    const restMs = Math.max(leastRestMs, (this.#debtMs - burstMs) / share)
    this.#wake = this.#time.after(restMs, () => this.#resume())
  }

  #resume(): void {
    if (this.#wake === null) return
    this.#wake()
    this.#wake = null
    for (const stream of this.#streams) stream.resume()
  }
}
