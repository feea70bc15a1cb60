import type { LogPositionStore } from '../../audit/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { ExportingMessage, ExportingRequest } from './exporting-protocol.ts'

interface Waiter {
  resolve(position: string | null): void
  reject(error: McpworksError): void
}

/** Positions that another thread keeps, which is asked for each. */
export class PositionsElsewhere implements LogPositionStore {
  readonly #post: (message: ExportingMessage) => void
  readonly #waiting = new Map<number, Waiter>()
  #ticket = 0

  constructor(post: (message: ExportingMessage) => void) {
    this.#post = post
  }

  find(reader: string): Promise<string | null> {
    return this.#ask((ticket) => ({ kind: 'find', ticket, reader }))
  }

  async keep(reader: string, id: string): Promise<void> {
    await this.#ask((ticket) => ({ kind: 'keep', ticket, reader, id }))
  }

  /** To be called with each answer. */
  receive(answer: Extract<ExportingRequest, { kind: 'position' | 'no-position' }>): void {
    const waiter = this.#waiting.get(answer.ticket)
    this.#waiting.delete(answer.ticket)
    if (answer.kind === 'position') waiter?.resolve(answer.position)
    else waiter?.reject(new McpworksError(answer.code))
  }

  #ask(make: (ticket: number) => ExportingMessage): Promise<string | null> {
    return new Promise((resolve, reject) => {
      const ticket = ++this.#ticket
      this.#waiting.set(ticket, { resolve, reject })
      this.#post(make(ticket))
    })
  }
}
