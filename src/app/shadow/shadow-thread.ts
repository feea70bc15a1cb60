import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PolicySource, PolicyVocabulary } from '../../policy/index.ts'
import type { ShadowMessage, ShadowRequest, ShadowVerdict } from './shadow-protocol.ts'

/** JavaScript memory of the thread, in MiB. Passing it ends the thread, not the server. */
const memoryLimitMb = 256
/** Calls, and UTF-16 units of their texts, that may wait for the thread. */
const waitingCalls = 2_000
const waitingLength = 16 * 1024 * 1024

/** What the owner of a thread is told. */
export interface ShadowThreadEvents {
  decided(verdicts: readonly ShadowVerdict[]): void
  /** The thread is gone. `namespace` is that whose policies broke it; `null` where that cannot be told. */
  ended(namespace: string | null, reason: string): void
}

/** The main thread's side of the thread in which shadow policies decide. Nothing here waits for it but `settle` and `close`. */
export class ShadowThread {
  readonly #worker: Worker
  readonly #exit: Promise<unknown>
  readonly #syncs = new Map<number, () => void>()
  #outgoing: string[] = []
  #waiting = 0
  #waitingLength = 0
  #ticket = 0
  #over = false

  constructor(events: ShadowThreadEvents) {
    // The same extension as this file: .ts under the type stripper, .js in a release.
    const entry = new URL(`./shadow-worker${extname(import.meta.url)}`, import.meta.url)
    this.#worker = new Worker(entry, {
      name: 'shadow',
      resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
    })
    this.#exit = once(this.#worker, 'exit').catch(() => undefined)
    const end = (namespace: string | null, reason: string): void => {
      if (this.#over) return
      this.#over = true
      for (const resolve of this.#syncs.values()) resolve()
      this.#syncs.clear()
      events.ended(namespace, reason)
    }
    this.#worker.on('message', (message: ShadowMessage) => {
      if (message.kind === 'broken') end(message.namespace, 'they broke the policy engine')
      else if (message.kind === 'synced') this.#synced(message.ticket)
      else {
        this.#waiting -= message.count
        if (this.#waiting === 0) this.#waitingLength = 0
        events.decided(message.verdicts)
      }
    })
    this.#worker.on('error', (error) => end(null, error instanceof Error ? error.message : 'it broke'))
    this.#worker.on('exit', () => end(null, 'it ended'))
  }

  install(sources: readonly PolicySource[], vocabulary: PolicyVocabulary): void {
    this.#flush()
    this.#post({ kind: 'install', sources, vocabulary })
  }

  remove(namespace: string): void {
    this.#flush()
    this.#post({ kind: 'remove', namespace })
  }

  /** Hands over the text of a call with all others of this turn of the event loop. False where too many wait already. */
  decide(call: string): boolean {
    if (this.#over || this.#waiting >= waitingCalls || this.#waitingLength + call.length > waitingLength) return false
    this.#waiting += 1
    this.#waitingLength += call.length
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush())
    this.#outgoing.push(call)
    return true
  }

  /** Resolves when everything that was handed over has been decided, or the thread is gone. */
  settle(): Promise<void> {
    if (this.#over) return Promise.resolve()
    this.#flush()
    return new Promise((resolve) => {
      const ticket = ++this.#ticket
      this.#syncs.set(ticket, resolve)
      this.#post({ kind: 'sync', ticket })
    })
  }

  /** Ends the thread after what it was given. No event comes from then on. */
  async close(): Promise<void> {
    await this.settle()
    this.#over = true
    this.#post({ kind: 'end' })
    await this.#exit
  }

  #synced(ticket: number): void {
    this.#syncs.get(ticket)?.()
    this.#syncs.delete(ticket)
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return
    const calls = this.#outgoing
    this.#outgoing = []
    this.#post({ kind: 'decide', calls })
  }

  #post(request: ShadowRequest): void {
    this.#worker.postMessage(request)
  }
}
