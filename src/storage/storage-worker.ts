import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import type { KeyRotation } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { AuditWriter } from './audit-writer.ts'
import { exportPublicKeys } from './export-public-keys.ts'
import { openWritable } from './sqlite-database.ts'
import { extendedCode, failureReason } from './sqlite-failure.ts'
import { StateExecutor } from './state-executor.ts'
import { stateMigrations } from './state-migrations.ts'
import {
  restoreItems,
  type AppendItem,
  type WorkerMessage,
  type WorkerRequest,
  type WorkerSettings,
} from './worker-protocol.ts'

const batchLimit = 1000

// The entry of the one thread that writes. It is started by StorageWorker and by nothing else.
if (parentPort === null) throw new Error('this file is the entry of a worker thread')
serve(parentPort, workerData as WorkerSettings)

function serve(port: MessagePort, settings: WorkerSettings): void {
  const send = (message: WorkerMessage) => port.postMessage(message)
  const writer = new AuditWriter({
    path: settings.auditPath,
    masterKey: settings.masterKey,
    maxPages: settings.auditMaxPages,
  })
  let state: StateExecutor
  let abandoned: number
  try {
    abandoned = writer.start(settings.startedAtMs)
    exportPublicKeys(settings.publicKeyPath, writer.keyLines())
    state = new StateExecutor(() =>
      openWritable({ path: settings.statePath, migrations: stateMigrations, checkpointPages: 1000, maxPages: null }),
    )
  } catch (error) {
    const known = error instanceof McpworksError
    send({
      kind: 'failed',
      code: known ? error.code : 'storage_unavailable',
      message: known ? error.message : `The data directory cannot be used: ${failureReason(error)}.`,
      detail: error instanceof Error ? error.message : '',
    })
    port.close()
    return
  }
  let failure: string | null = null

  const setFailure = (reason: string | null) => {
    if (reason === failure) return
    failure = reason
    send({ kind: 'health', reason })
  }
  const guarded = (work: () => void) => {
    try {
      work()
      setFailure(null)
    } catch (error) {
      setFailure(failureReason(error))
    }
  }
  const append = (items: readonly AppendItem[]) => {
    if (items.length === 0) return
    let reason = failure
    if (reason === null) {
      try {
        send({ kind: 'appended', batch: writer.append(items) })
        return
      } catch (error) {
        reason = failureReason(error)
        setFailure(reason)
      }
    }
    send({ kind: 'refused', tickets: items.map((item) => item.ticket), reason })
  }
  const query = (request: Extract<WorkerRequest, { kind: 'query' }>) => {
    try {
      send({ kind: 'answer', ticket: request.ticket, result: state.execute(request.sql, request.parameters) })
    } catch (error) {
      const message = error instanceof Error ? error.message : ''
      send({ kind: 'query-failed', ticket: request.ticket, errcode: extendedCode(error), message })
    }
  }
  const rotateKey = ({ ticket, timeMs }: Extract<WorkerRequest, { kind: 'rotate-key' }>) => {
    let rotation: KeyRotation | null = null
    if (failure === null) {
      guarded(() => {
        rotation = writer.rotateKey(timeMs)
        exportPublicKeys(settings.publicKeyPath, writer.keyLines())
      })
    }
    send({ kind: 'rotated', ticket, rotation })
  }
  const keep = ({ ticket, task, nowMs }: Extract<WorkerRequest, { kind: 'keep' }>) => {
    let reason = failure
    if (reason === null) {
      try {
        send({ kind: 'kept', ticket, answer: writer.keep(task, nowMs) })
        return
      } catch (error) {
        reason = failureReason(error)
        setFailure(reason)
      }
    }
    send({ kind: 'keep-failed', ticket, reason })
  }
  // Once a second: the checkpoint that is due, or, after a failure, a try whether the log can be written again.
  const timer = setInterval(() => guarded(() => (failure === null ? writer.signCheckpoints() : writer.reopen())), 1000)
  const close = (ticket: number) => {
    clearInterval(timer)
    guarded(() => writer.close())
    state.close()
    send({ kind: 'answer', ticket, result: null })
    port.close()
  }

  port.on('message', (first: WorkerRequest) => {
    const items: AppendItem[] = []
    // Everything that came while the last batch was being synced goes into one transaction.
    for (let next: WorkerRequest | undefined = first; next !== undefined; next = nextMessage(port)) {
      if (next.kind === 'append') {
        items.push(...restoreItems(next.items))
        // The first of a flood must not wait for the last.
        if (items.length >= batchLimit) append(items.splice(0))
      } else {
        append(items.splice(0))
        if (next.kind === 'query') query(next)
        else if (next.kind === 'rotate-key') rotateKey(next)
        else if (next.kind === 'keep') keep(next)
        else if (next.kind === 'recheck') {
          guarded(() => (failure === null ? writer.probe() : writer.reopen()))
          send({ kind: 'answer', ticket: next.ticket, result: null })
        } else if (next.kind === 'close') {
          close(next.ticket)
          return
        }
      }
    }
    append(items)
  })
  send({ kind: 'ready', abandoned })
}

function nextMessage(port: MessagePort): WorkerRequest | undefined {
  const received = receiveMessageOnPort(port)
  return received?.message as WorkerRequest | undefined
}
