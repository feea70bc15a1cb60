/** Places for executions: at most `places` at once, at most `queue` waiting, first come first served. */
export class Slots {
  #free: number
  readonly #queueLength: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number, queueLength: number) {
    this.#free = places
    this.#queueLength = queueLength
  }

  /** A place, to be given back once; `full` where the queue is; `cancelled` where the signal came first. */
  async take(signal: AbortSignal): Promise<'taken' | 'full' | 'cancelled'> {
    if (signal.aborted) return 'cancelled'
    if (this.#free > 0) {
      this.#free -= 1
      return 'taken'
    }
    if (this.#waiting.length >= this.#queueLength) return 'full'
    const turn = Promise.withResolvers<'taken' | 'cancelled'>()
    const call = (): void => turn.resolve('taken')
    const leave = (): void => {
      const index = this.#waiting.indexOf(call)
      if (index === -1) return
      this.#waiting.splice(index, 1)
      turn.resolve('cancelled')
    }
    this.#waiting.push(call)
    signal.addEventListener('abort', leave, { once: true })
    const answer = await turn.promise
    signal.removeEventListener('abort', leave)
    return answer
  }

  give(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
