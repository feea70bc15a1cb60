import type { InnerAnswer, InnerCall } from '../sandbox.ts'

/** The calls of one execution that the server was asked for and has not answered. */
export class PendingAnswers {
  readonly #settle = new Map<number, (answer: InnerAnswer) => void>()
  readonly #ask: (id: number, tool: string, argumentsJson: string) => void
  #nextId = 0

  /** `ask` sends the question; `settle` is to be called with what comes back. */
  constructor(ask: (id: number, tool: string, argumentsJson: string) => void) {
    this.#ask = ask
  }

  /** Asks and waits. Settles at once when the execution ends. */
  async answerTo({ tool, argumentsJson, signal }: InnerCall): Promise<InnerAnswer> {
    const id = this.#nextId
    this.#nextId += 1
    const { promise, resolve } = Promise.withResolvers<InnerAnswer>()
    const leave = (): void => resolve({ ok: false, code: 'cancelled', message: 'The call was cancelled.' })
    signal.addEventListener('abort', leave, { once: true })
    this.#settle.set(id, resolve)
    this.#ask(id, tool, argumentsJson)
    const answer = await promise
    this.#settle.delete(id)
    signal.removeEventListener('abort', leave)
    return answer
  }

  /** What nobody waits for any more is dropped. */
  settle(id: number, answer: InnerAnswer): void {
    this.#settle.get(id)?.(answer)
  }
}
