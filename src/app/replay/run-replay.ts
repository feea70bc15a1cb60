import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { McpworksError } from '../../kernel/index.ts'
import type { ReplayJob, ReplayMessage, ReplayThreadData } from './replay-protocol.ts'

/** JavaScript memory of the thread, in MiB. Passing it ends the thread, not the server. */
const memoryLimitMb = 256

/** What was found, or what is wrong with the policies. */
export type ReplayAnswer = Extract<ReplayMessage, { kind: 'done' | 'refused' }>

/** Replays, one at a time: a second one is refused, because it would only make both slow. */
export interface Replays {
  /**
   * Replays in a thread of its own, beside the running server. When `signal` is aborted it stops after the page that
   * it is at, and the report says that it is not complete.
   * @throws McpworksError `overloaded`, `policy_invalid`, `storage_unavailable`, `internal`
   */
  run(job: ReplayJob, signal: AbortSignal): Promise<ReplayAnswer>
  /** Stops what is running and waits for its end. */
  close(): Promise<void>
}

/** Makes the one place in which replays run. */
export function createReplays(): Replays {
  const ending = new AbortController()
  let running: Promise<unknown> | null = null
  return {
    async run(job, signal) {
      if (running !== null)
        throw new McpworksError('overloaded', { message: 'A replay is running already. Try again when it has ended.' })
      const mine = replay(job, AbortSignal.any([signal, ending.signal]))
      running = mine.catch(() => undefined)
      try {
        return await mine
      } finally {
        running = null
      }
    },
    async close() {
      ending.abort()
      await running
    },
  }
}

async function replay(job: ReplayJob, signal: AbortSignal): Promise<ReplayAnswer> {
  // The same extension as this file: .ts under the type stripper, .js in a release.
  const entry = new URL(`./replay-worker${extname(import.meta.url)}`, import.meta.url)
  const stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const onAbort = (): void => void Atomics.store(stop, 0, 1)
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) onAbort()
  const worker = new Worker(entry, {
    workerData: { ...job, stop } satisfies ReplayThreadData,
    name: 'replay',
    resourceLimits: { maxOldGenerationSizeMb: memoryLimitMb },
  })
  try {
    // Where the thread breaks, its answer says so; that it ended says nothing more.
    const ended = once(worker, 'exit').catch(() => undefined)
    const message = await answerOf(worker)
    await ended
    if (message.kind === 'failed') throw new McpworksError(message.code)
    if (message.kind === 'broken')
      throw new McpworksError('policy_invalid', {
        message: 'These policies break the engine on a recorded call. Nothing is in force but what was.',
      })
    return message
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** The thread's one message. @throws McpworksError where it ends without one, or broke. */
function answerOf(worker: Worker): Promise<ReplayMessage> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (cause) => reject(new McpworksError('internal', { detail: 'a replay broke', cause })))
    worker.once('exit', () => reject(new McpworksError('internal', { detail: 'a replay ended without an answer' })))
  })
}
