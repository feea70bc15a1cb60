import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { LogPositionStore } from '../../audit/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { ExportingAnswer, ExportingMessage, ExportingRequest, ExportingThreadData } from './exporting-protocol.ts'
import type { OperatorLines } from './operator-lines.ts'

/** JavaScript memory of the thread, in MiB, for twenty receivers at most. Passing it ends the thread, not the server. */
const memoryLimitMb = 512
/** How long the thread may take to say how far it is, in milliseconds. */
const answerMs = 5_000

/** What a thread is begun with. */
export interface ExportingThreadOptions {
  readonly data: ExportingThreadData
  readonly positions: LogPositionStore
  readonly log: OperatorLines
  /** Told once if the thread ends without having been asked to. */
  readonly onLost: (why: string) => void
}

/** The main thread's side of the thread that hands the log on. */
export class ExportingThread {
  readonly #options: ExportingThreadOptions
  readonly #worker: Worker
  readonly #exit: Promise<unknown>
  readonly #asked = new Map<number, (answer: ExportingAnswer | null) => void>()
  #ticket = 0
  #isOver = false

  /** Resolves once it follows the log. @throws McpworksError where it cannot begin */
  readonly ready: Promise<void>

  constructor(options: ExportingThreadOptions) {
    this.#options = options
    // The same extension as this file: .ts under the type stripper, .js in a release.
    const entry = new URL(`./exporting-worker${extname(import.meta.url)}`, import.meta.url)
    this.#worker = new Worker(entry, {
      workerData: options.data,
      name: 'exporting',
      resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
    })
    this.#exit = once(this.#worker, 'exit').catch(() => undefined)
    this.ready = new Promise((resolve, reject) => {
      const lost = (why: string): void => {
        reject(new McpworksError('internal', { detail: `the thread that hands the log on: ${why}` }))
        this.#over(why)
      }
      this.#worker.on('message', (message: ExportingMessage) => {
        if (message.kind === 'ready') resolve()
        else if (message.kind === 'failed') {
          reject(new McpworksError(message.code, { detail: message.detail }))
          this.#over(message.detail)
        } else this.#receive(message)
      })
      this.#worker.on('error', (error) => lost(error instanceof Error ? error.message : 'it broke'))
      this.#worker.on('exit', () => lost('it ended'))
    })
    // Whoever waits for it is told; nobody has to.
    this.ready.catch(() => {})
  }

  /** How far it is; `null` where it is gone or does not answer. */
  ask(): Promise<ExportingAnswer | null> {
    if (this.#isOver) return Promise.resolve(null)
    return new Promise((resolve) => {
      const ticket = ++this.#ticket
      const deadline = setTimeout(() => this.#answered(ticket, null), answerMs)
      this.#asked.set(ticket, (answer) => {
        clearTimeout(deadline)
        resolve(answer)
      })
      this.#post({ kind: 'ask', ticket })
    })
  }

  /** Lets what is being sent end or be given up, and ends the thread. */
  async close(): Promise<void> {
    const wasOver = this.#isOver
    this.#isOver = true
    if (!wasOver) this.#post({ kind: 'end' })
    await this.#exit
    this.#forgetAsked()
  }

  #over(why: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#forgetAsked()
    this.#options.onLost(why)
  }

  #forgetAsked(): void {
    for (const ticket of this.#asked.keys()) this.#answered(ticket, null)
  }

  #answered(ticket: number, answer: ExportingAnswer | null): void {
    const resolve = this.#asked.get(ticket)
    this.#asked.delete(ticket)
    resolve?.(answer)
  }

  #receive(message: Exclude<ExportingMessage, { kind: 'ready' | 'failed' }>): void {
    const { positions, log } = this.#options
    switch (message.kind) {
      case 'find':
        return void this.#position(message.ticket, () => positions.find(message.reader))
      case 'keep':
        return void this.#position(message.ticket, async () => {
          await positions.keep(message.reader, message.id)
          return null
        })
      case 'line':
        return log[message.level](message.fields, message.message)
      case 'answer':
        return this.#answered(message.ticket, message.answer)
    }
  }

  async #position(ticket: number, work: () => Promise<string | null>): Promise<void> {
    try {
      this.#post({ kind: 'position', ticket, position: await work() })
    } catch (error) {
      this.#post({ kind: 'no-position', ticket, code: error instanceof McpworksError ? error.code : 'internal' })
    }
  }

  #post(request: ExportingRequest): void {
    this.#worker.postMessage(request)
  }
}
