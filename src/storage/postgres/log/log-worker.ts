import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { McpworksError } from '../../../kernel/index.ts'
import { exportPublicKeys } from '../../export-public-keys.ts'
import { restoreItems, type AppendItem, type WorkerMessage, type WorkerRequest } from '../../worker-protocol.ts'
import { databaseUnavailable } from '../database-failure.ts'
import type { LogWorkerSettings } from './log-worker-protocol.ts'
import { SequencerRole } from './sequencer-role.ts'
import { WriterRole, type RotationOutcome } from './writer-role.ts'

const batchLimit = 1000
const leavesPerPass = 256
const tickMs = 1000

// The entry of the thread that writes the log. It is started by openPostgresLog and by nothing else.
if (parentPort === null) throw new Error('this file is the entry of a worker thread')
await serve(parentPort, workerData as LogWorkerSettings)

async function serve(port: MessagePort, settings: LogWorkerSettings): Promise<void> {
  const send = (message: WorkerMessage) => port.postMessage(message)
  const failures: { writing: string | null; ordering: string | null } = { writing: null, ordering: null }
  const tell = (failed: Partial<typeof failures>) => {
    Object.assign(failures, failed)
    send({ kind: 'health', reason: failures.writing ?? failures.ordering })
  }
  const writer = new WriterRole(settings, (writing) => tell({ writing }))
  let abandoned: number
  try {
    const started = await writer.start(settings.startedAtMs)
    abandoned = started.abandoned
    exportPublicKeys(settings.publicKeyPath, started.identity.keyLines)
  } catch (error) {
    await writer.close().catch(() => {})
    const { code, message, detail } = error instanceof McpworksError ? error : databaseUnavailable(error)
    send({ kind: 'failed', code, message, detail: detail ?? '' })
    port.close()
    return
  }
  const sequencer = new SequencerRole(settings, (ordering) => tell({ ordering }))
  let unsequenced = 0
  const sequence = (sign: 'full' | 'all') => {
    unsequenced = 0
    return sequencer.run(sign)
  }

  const append = async (items: readonly AppendItem[]): Promise<void> => {
    if (items.length === 0) return
    const outcome =
      failures.ordering === null ? await writer.append(items) : { ok: false as const, reason: failures.ordering }
    if (!outcome.ok)
      return send({ kind: 'refused', tickets: items.map(({ ticket }) => ticket), reason: outcome.reason })
    for (const { tickets, reason } of outcome.refused) send({ kind: 'refused', tickets, reason })
    send({ kind: 'appended', batch: outcome.batch })
    unsequenced += outcome.batch.tickets.length
    if (unsequenced >= leavesPerPass) void sequence('full')
  }
  const keep = async ({ ticket, task, nowMs }: Extract<WorkerRequest, { kind: 'keep' }>): Promise<void> => {
    const outcome = await writer.keep(task, nowMs)
    if (outcome.ok) send({ kind: 'kept', ticket, answer: outcome.answer })
    else send({ kind: 'keep-failed', ticket, reason: outcome.reason })
  }
  const rotateKey = async ({ ticket, timeMs }: Extract<WorkerRequest, { kind: 'rotate-key' }>): Promise<void> => {
    const outcome = await sequencer
      .standAside(() => writer.rotateKey(timeMs))
      .catch((): RotationOutcome => ({ ok: false, why: undefined }))
    if (!outcome.ok) return send({ kind: 'rotated', ticket, rotation: null, why: outcome.why })
    try {
      exportPublicKeys(settings.publicKeyPath, outcome.keyLines)
    } catch {
      // The change is durable, and its key in the database: the file gets it at the next start.
    }
    send({ kind: 'rotated', ticket, rotation: outcome.rotation })
  }
  const timer = setInterval(() => {
    void sequence('all')
    requests.push({ kind: 'tick' })
    void pump()
  }, tickMs)
  const close = async (ticket: number): Promise<void> => {
    clearInterval(timer)
    await sequence('all')
    await sequencer.close()
    await writer.close()
    send({ kind: 'answer', ticket, result: null })
    port.close()
  }

  const requests: (WorkerRequest | { readonly kind: 'tick' })[] = []
  let pumping = false
  const pump = async (): Promise<void> => {
    if (pumping) return
    pumping = true
    let items: AppendItem[] = []
    const appendAll = async () => {
      // The first of a flood must not wait for the last.
      while (items.length > 0) await append(items.splice(0, batchLimit))
    }
    while (requests.length > 0) {
      // Everything that came while the last batch was on its way goes into one transaction.
      for (const request of requests.splice(0)) {
        if (request.kind === 'append') {
          items.push(...restoreItems(request.items))
          continue
        }
        await appendAll()
        if (request.kind === 'tick') await writer.tick()
        else if (request.kind === 'recheck') {
          await writer.recheck()
          send({ kind: 'answer', ticket: request.ticket, result: null })
        } else if (request.kind === 'keep') {
          await keep(request)
        } else if (request.kind === 'rotate-key') {
          await rotateKey(request)
        } else if (request.kind === 'settle') {
          // Not waited for: what is read does not keep writers waiting.
          void sequence('full').then(() => send({ kind: 'answer', ticket: request.ticket, result: null }))
        } else if (request.kind === 'close') {
          await close(request.ticket)
          return
        }
      }
      await appendAll()
      items = []
    }
    pumping = false
  }
  port.on('message', (request: WorkerRequest) => {
    requests.push(request)
    void pump()
  })
  send({ kind: 'ready', abandoned })
}
