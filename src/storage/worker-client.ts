import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { SQLInputValue } from 'node:sqlite'
import type { KeyRotation } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'
import {
  flattenItems,
  type AppendItem,
  type BatchAnswer,
  type QueryResult,
  type WorkerMessage,
  type WorkerRequest,
  type WorkerSettings,
} from './worker-protocol.ts'

/** Records that go to the worker at once, so that it writes the first of many while this thread still makes the others. */
const recordsAMessage = 16

/** A statement that the state database refused. `errcode` is SQLite's extended result code. */
export class StateQueryError extends Error {
  override readonly name = 'StateQueryError'
  readonly errcode: number

  constructor(errcode: number, message: string) {
    super(message)
    this.errcode = errcode
  }
}

/** Where a record went. */
export interface Appended {
  readonly id: string
  readonly index: number
}

/** The main thread's side of the storage worker. */
export class WorkerClient {
  readonly #worker: Worker
  readonly #appends = new Map<number, { resolve: (where: Appended) => void; reject: (error: McpworksError) => void }>()
  readonly #queries = new Map<number, { resolve: (result: QueryResult) => void; reject: (error: Error) => void }>()
  readonly #rotations = new Map<
    number,
    { resolve: (made: KeyRotation) => void; reject: (error: McpworksError) => void }
  >()
  readonly #tasks = new Map<number, { resolve: (answer: KeepingAnswer) => void; reject: (error: Error) => void }>()
  #outgoing: AppendItem[] = []
  #ticket = 0
  #failure: string | null = null
  #closed = false
  #abandoned = 0

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Starts the worker on SQLite and waits until both databases are open. @throws McpworksError `storage_unavailable` */
  static start(settings: WorkerSettings): Promise<WorkerClient> {
    return WorkerClient.startAt('./storage-worker', settings)
  }

  /** Starts a worker of another kind, given by its file beside this one without extension. @throws as `start` does */
  static async startAt(path: string, settings: object): Promise<WorkerClient> {
    // The same extension as this file: .ts under the type stripper, .js in a release.
    const entry = new URL(`${path}${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(entry, { workerData: settings, name: 'storage' })
    const client = new WorkerClient(worker)
    await new Promise<void>((resolve, reject) => {
      worker.once('message', (message: WorkerMessage) => {
        if (message.kind === 'failed')
          reject(new McpworksError(message.code, { message: message.message, detail: message.detail }))
        else {
          if (message.kind === 'ready') client.#abandoned = message.abandoned
          resolve()
        }
      })
      worker.once('error', (cause) => reject(new McpworksError('storage_unavailable', { cause })))
    })
    worker.on('message', (message: WorkerMessage) => client.#receive(message))
    worker.on('error', (error) => client.#lost(error instanceof Error ? error.message : 'unknown'))
    worker.on('exit', () => client.#lost('it ended'))
    return client
  }

  /** Why the audit log cannot be written, `null` while it can. */
  get failure(): string | null {
    return this.#failure
  }

  /** Calls without an outcome that were ended when the log was opened. */
  get abandoned(): number {
    return this.#abandoned
  }

  /** Appends that have no answer yet. */
  get waiting(): number {
    return this.#appends.size
  }

  /** Sends a record off with others of this turn of the event loop. Settles when it is durable, or is not going to be. */
  append(item: Omit<AppendItem, 'ticket'>): Promise<Appended> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null || this.#closed) {
        reject(unavailable(this.#failure ?? 'the log is closed'))
        return
      }
      const ticket = ++this.#ticket
      this.#appends.set(ticket, { resolve, reject })
      if (this.#outgoing.length === 0) setImmediate(() => this.#flush())
      this.#outgoing.push({ ticket, ...item })
      // Where nothing is under way, nothing is gained by waiting for others.
      const isAlone = this.#appends.size === 1
      if (isAlone || this.#outgoing.length >= recordsAMessage) this.#flush()
    })
  }

  /** Runs one statement on the state database. @throws StateQueryError; McpworksError `storage_unavailable` */
  query(sql: string, parameters: readonly SQLInputValue[]): Promise<QueryResult> {
    return this.#request((ticket) => ({ kind: 'query', ticket, sql, parameters }))
  }

  /** Has the writer take something out of the log, or keep it in. @throws McpworksError `audit_unavailable`: nothing was done */
  keep(task: KeepingTask, nowMs: number): Promise<KeepingAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null || this.#closed) {
        reject(unavailable(this.#failure ?? 'the log is closed'))
        return
      }
      const ticket = ++this.#ticket
      this.#tasks.set(ticket, { resolve, reject })
      this.#flush()
      this.#post({ kind: 'keep', ticket, task, nowMs })
    })
  }

  /** Tries whether the audit log can be written again; `failure` tells. */
  async recheck(): Promise<void> {
    if (!this.#closed) await this.#request((ticket) => ({ kind: 'recheck', ticket }))
  }

  /** Has the records that were acknowledged put into the order of all records, where that is not done with the append. */
  async settle(): Promise<void> {
    if (!this.#closed) await this.#request((ticket) => ({ kind: 'settle', ticket }))
  }

  /** Lets a new signing key take the place of the one in force. @throws McpworksError `audit_unavailable` */
  rotateKey(timeMs: number): Promise<KeyRotation> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(unavailable('the log is closed'))
        return
      }
      const ticket = ++this.#ticket
      this.#rotations.set(ticket, { resolve, reject })
      this.#post({ kind: 'rotate-key', ticket, timeMs })
    })
  }

  /** Writes what is waiting, closes both databases and ends the worker. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#flush()
    const done = this.#request((ticket) => ({ kind: 'close', ticket }))
    this.#closed = true
    const ended = once(this.#worker, 'exit')
    await done
    // It ends by itself once its port is closed. Never terminated: that could cut off native code in the middle.
    await ended
  }

  #request(make: (ticket: number) => WorkerRequest): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new McpworksError('storage_unavailable', { detail: 'the storage is closed' }))
        return
      }
      const ticket = ++this.#ticket
      this.#queries.set(ticket, { resolve, reject })
      this.#post(make(ticket))
    })
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return
    const items = this.#outgoing
    this.#outgoing = []
    this.#post({ kind: 'append', items: flattenItems(items) })
  }

  #post(request: WorkerRequest): void {
    this.#worker.postMessage(request)
  }

  #receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'appended':
        this.#settle(message.batch)
        return
      case 'refused':
        for (const ticket of message.tickets) this.#take(ticket)?.reject(unavailable(message.reason))
        return
      case 'health':
        this.#failure = message.reason
        return
      case 'answer':
        this.#queries.get(message.ticket)?.resolve(message.result ?? { rows: [], changes: 0 })
        this.#queries.delete(message.ticket)
        return
      case 'rotated':
        this.#settleRotation(message.ticket, message.rotation, message.why)
        return
      case 'kept':
        this.#tasks.get(message.ticket)?.resolve(message.answer)
        this.#tasks.delete(message.ticket)
        return
      case 'keep-failed':
        this.#tasks.get(message.ticket)?.reject(unavailable(message.reason))
        this.#tasks.delete(message.ticket)
        return
      case 'query-failed':
        this.#queries.get(message.ticket)?.reject(new StateQueryError(message.errcode, message.message))
        this.#queries.delete(message.ticket)
        return
      default:
    }
  }

  #settle({ tickets, ids, indexes }: BatchAnswer): void {
    for (const [position, ticket] of tickets.entries()) {
      this.#take(ticket)?.resolve({ id: ids[position] ?? '', index: indexes[position] ?? -1 })
    }
  }

  #settleRotation(ticket: number, rotation: KeyRotation | null, why?: string): void {
    const waiter = this.#rotations.get(ticket)
    this.#rotations.delete(ticket)
    if (rotation !== null) waiter?.resolve(rotation)
    else if (why !== undefined) waiter?.reject(new McpworksError('audit_unavailable', { message: why, detail: why }))
    else waiter?.reject(unavailable(this.#failure ?? 'the log cannot be written'))
  }

  #take(ticket: number) {
    const waiter = this.#appends.get(ticket)
    this.#appends.delete(ticket)
    return waiter
  }

  /** Without its worker the storage can do nothing: everything waiting is refused, and all that comes. */
  #lost(reason: string): void {
    this.#failure ??= `the storage thread stopped: ${reason}`
    for (const ticket of this.#appends.keys()) this.#take(ticket)?.reject(unavailable(this.#failure))
    for (const { reject } of this.#queries.values())
      reject(new McpworksError('storage_unavailable', { detail: reason }))
    for (const { reject } of this.#tasks.values()) reject(unavailable(reason))
    this.#queries.clear()
    for (const ticket of this.#rotations.keys()) this.#settleRotation(ticket, null)
    this.#tasks.clear()
    this.#closed = true
  }
}

function unavailable(reason: string): McpworksError {
  return new McpworksError('audit_unavailable', { detail: reason })
}
