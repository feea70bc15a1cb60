import { setPriority } from 'node:os'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import type { LogPositionStore } from '../../audit/index.ts'
import { createGuardedFetch, createGuardedStream } from '../../egress/index.ts'
import { McpworksError, systemClock } from '../../kernel/index.ts'
import { openAuditReader, openRecordReader } from '../../storage/index.ts'
import type { ExportingAnswer, ExportingMessage, ExportingRequest, ExportingThreadData } from './exporting-protocol.ts'
import { openExporters } from './open-exporters.ts'
import { openMetrics } from './open-metrics.ts'
import { toldFields, type OperatorLines } from './operator-lines.ts'
import { PositionsElsewhere } from './positions-elsewhere.ts'

/**
 * How much the thread stands back behind those that answer callers. Linux keeps this number per thread. Not so far that
 * whoever floods the server with calls could keep others from hearing of it.
 */
const niceness = 5

/** Errors lose their class on the way to the thread that writes lines. */
const lines: OperatorLines = {
  info: (fields, message) => post({ kind: 'line', level: 'info', fields: toldFields(fields), message }),
  error: (fields, message) => post({ kind: 'line', level: 'error', fields: toldFields(fields), message }),
}

// The entry of the thread that hands the log on. It is started by ExportingThread and by nothing else.
if (parentPort === null) throw new Error('this file is the entry of a worker thread')
setPriority(0, niceness)
await serve(parentPort, workerData as ExportingThreadData)

async function serve(port: MessagePort, data: ExportingThreadData): Promise<void> {
  const positions = new PositionsElsewhere(post)
  const opened: (() => Promise<void>)[] = []
  const opening = open(data, positions, opened)
  const end = async (): Promise<void> => {
    await opening.catch(() => {})
    for (const close of opened.splice(0).toReversed()) await close()
    port.close()
  }
  const answer = async (ticket: number): Promise<void> => {
    // Where it cannot begin, that is said once, and it ends.
    const ask = await opening.catch(() => null)
    if (ask !== null) post({ kind: 'answer', ticket, answer: await ask() })
  }
  port.on('message', (request: ExportingRequest) => {
    if (request.kind === 'end') void end()
    else if (request.kind !== 'ask') positions.receive(request)
    else void answer(request.ticket)
  })
  try {
    await opening
    post({ kind: 'ready' })
  } catch (error) {
    const code = error instanceof McpworksError ? error.code : 'internal'
    post({ kind: 'failed', code, detail: error instanceof Error ? error.message : '' })
    await end()
  }
}

/** Opens everything, and answers with what tells how far it is. */
async function open(
  { place, config, version }: ExportingThreadData,
  positions: LogPositionStore,
  opened: (() => Promise<void>)[],
): Promise<() => Promise<ExportingAnswer>> {
  const records = openRecordReader(place)
  opened.push(() => records.close())
  const trees = openAuditReader({ ...place, masterKey: null })
  opened.push(() => trees.close())
  const ports = { config, records, positions, clock: systemClock, version }
  const [fetch, stream] = [createGuardedFetch(), createGuardedStream()]
  const exporters = await openExporters({ ...ports, fetch, stream, log: lines })
  opened.push(() => exporters.close())
  if (config.metricsToken === '') return async () => ({ states: exporters.states(), families: [] })
  const onFailure = (error: unknown): void => lines.error({ err: error }, 'the log could not be read for metrics')
  const { intervalMs } = config
  const metrics = await openMetrics({ ...ports, trees, exporters: exporters.states, intervalMs, onFailure })
  opened.push(() => metrics.close())
  return async () => {
    const families = await metrics.families().catch((error: unknown) => {
      onFailure(error)
      return []
    })
    return { states: exporters.states(), families }
  }
}

function post(message: ExportingMessage): void {
  parentPort?.postMessage(message)
}
