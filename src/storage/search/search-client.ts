import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { LogSearch, SearchPage, SearchQuery } from '../../audit/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { SearchMessage, SearchRequest, SearchSettings } from './search-protocol.ts'

/** JavaScript memory of the thread, in MiB. Passing it ends the thread, not the server. */
const memoryLimitMb = 256
/** After how long the thread begins to follow the log by itself, in milliseconds: a start has other things to do. */
const beginsAfterMs = 5_000

/** The main thread's side of the thread that keeps the index. A thread that broke is started anew by the next search. */
export class SearchClient implements LogSearch {
  readonly #settings: SearchSettings
  readonly #waiting = new Map<number, { resolve: (page: SearchPage) => void; reject: (error: Error) => void }>()
  readonly #timer: NodeJS.Timeout
  #worker: Worker | null = null
  #ticket = 0
  #isClosed = false

  constructor(settings: SearchSettings) {
    this.#settings = settings
    this.#timer = setTimeout(() => this.#running(), beginsAfterMs)
    this.#timer.unref()
  }

  search(query: SearchQuery): Promise<SearchPage> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(unavailable('the search is closed'))
        return
      }
      const ticket = ++this.#ticket
      this.#waiting.set(ticket, { resolve, reject })
      const worker = this.#running()
      // It does not keep the process going, but for somebody who waits.
      worker.ref()
      worker.postMessage({ kind: 'search', ticket, query } satisfies SearchRequest)
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const worker = this.#worker
    if (worker === null) return
    worker.ref()
    const ended = once(worker, 'exit').catch(() => undefined)
    worker.postMessage({ kind: 'close' } satisfies SearchRequest)
    await ended
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker
    // The same extension as this file: .ts under the type stripper, .js in a release.
    const entry = new URL(`./search-worker${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(entry, {
      workerData: this.#settings,
      name: 'search',
      resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
    })
    worker.unref()
    worker.on('message', (message: SearchMessage) => this.#receive(message))
    worker.on('error', (error) => this.#lost(worker, error instanceof Error ? error.message : 'unknown'))
    worker.on('exit', () => this.#lost(worker, 'it ended'))
    this.#worker = worker
    return worker
  }

  #receive(message: SearchMessage): void {
    const waiter = this.#waiting.get(message.ticket)
    this.#waiting.delete(message.ticket)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if (message.kind === 'found') waiter?.resolve(message.page)
    else waiter?.reject(new McpworksError(message.code, { detail: message.detail }))
  }

  #lost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = null
    for (const { reject } of this.#waiting.values()) reject(unavailable(`the search thread stopped: ${reason}`))
    this.#waiting.clear()
  }
}

function unavailable(detail: string): McpworksError {
  return new McpworksError('storage_unavailable', { detail })
}
