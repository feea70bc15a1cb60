import { cpus } from 'node:os'
import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
import { openExporters } from '../../src/app/exporters/open-exporters.ts'
import { openExporting } from '../../src/app/exporters/open-exporting.ts'
import type { LogPositionStore } from '../../src/audit/index.ts'
import { configSchema } from '../../src/config/index.ts'
import { createGuardedFetch, createGuardedStream } from '../../src/egress/index.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { openRecordReader } from '../../src/storage/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { round } from './load.ts'

/*
 * What handing the log on costs the calls that it tells of: processor time of the thread that serves them, and how many
 * there are a second, without receivers, with receivers that this thread serves, and with those that a thread of its own
 * serves, in turns of one run. The receivers are spans and events over HTTP, in a thread beside.
 */

const calls = 3_000
const turns = 6
const callers = 16

interface Turn {
  readonly times: readonly number[]
  /** Of the serving thread, until the receivers have everything. */
  readonly cpuMs: number
  /** Until the last call was answered. */
  readonly ms: number
  /** From then on until the receivers have everything. */
  readonly lagMs: number
}

/** Exporters of either kind. */
interface HandingOn {
  positions(): Promise<readonly string[]>
  close(): Promise<void>
}

const schema: JsonObject = { type: 'object', properties: { limit: { type: 'integer' } }, required: ['limit'] }

async function call(test: TestApp): Promise<void> {
  const answer = await test.app.gateway.perform(
    {
      caller: test.app.operator,
      namespace: 'demo',
      door: 'tool',
      effect: { kind: 'call', tool: 'export', arguments: { limit: 5 }, resume: null },
      facts: { method: 'tools/call', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
  if (answer.status !== 'ok') throw new Error(JSON.stringify(answer))
}

const sink = new Worker(
  `const { createServer } = require('node:http')
   const { parentPort } = require('node:worker_threads')
   const server = createServer((request, response) => { request.resume(); request.on('end', () => response.end()) })
   server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`,
  { eval: true },
)
const [port] = (await once(sink, 'message')) as [number]

await using test = await startTestApp({ entries: [toolEntry('export', () => textOutcome('done'), 'demo', schema)] })
await test.apply('demo', {
  'namespace.yaml': 'namespace: demo\nagents: []\n',
  'policies/a.cedar': 'permit (principal == User::"operator", action == Action::"call", resource);',
})
const { dataDirectory } = test
const records = openRecordReader({ dataDirectory })
const url = `http://127.0.0.1:${port}`
const config = configSchema.parse({
  dataDirectory,
  exporters: {
    secrets: { hook: 'a secret of more than thirty-two characters' },
    networks: ['127.0.0.0/8'],
    intervalMs: 100,
    receivers: [
      { type: 'otlp', name: 'spans', url: `${url}/v1/traces` },
      { type: 'webhook', name: 'hook', url: `${url}/hook` },
    ],
  },
}).exporters

function positionsHere(): LogPositionStore {
  const kept = new Map<string, string>()
  return {
    find: async (reader) => kept.get(reader) ?? null,
    keep: async (reader, id) => void kept.set(reader, id),
  }
}

const log = { info: () => {}, error: (_: object, message: string) => void process.stderr.write(`${message}\n`) }

async function inThisThread(): Promise<HandingOn> {
  const [fetch, stream] = [createGuardedFetch(), createGuardedStream()]
  const ports = { config, records, positions: positionsHere(), fetch, stream, clock: systemClock, log, version: '0' }
  const exporters = await openExporters(ports)
  return { positions: async () => exporters.states().map(({ position }) => position), close: exporters.close }
}

async function inItsOwn(): Promise<HandingOn> {
  const server = () => ({ refusing: [], log: { ok: true } as const, sandbox: { isReady: true, losses: 0 } })
  const exporting = await openExporting({
    config,
    place: { dataDirectory },
    positions: positionsHere(),
    lost: () => 0,
    server,
    log,
    version: '0',
  })
  return {
    positions: async () => (await exporting.states()).map(({ position }) => position),
    close: exporting.close,
  }
}

async function turn(open: () => Promise<HandingOn>): Promise<Turn> {
  const handing = await open()
  const times: number[] = []
  let left = calls
  const cpu = process.threadCpuUsage()
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1
        const start = performance.now()
        await call(test)
        times.push(performance.now() - start)
      }
    }),
  )
  const ended = performance.now()
  const [newest] = await records.read({ namespace: null, descending: true, limit: 1 })
  for (;;) {
    const positions = await handing.positions()
    if (positions.every((position) => position === newest?.id)) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { user, system } = process.threadCpuUsage(cpu)
  const lagMs = performance.now() - ended
  await handing.close()
  return { times, cpuMs: (user + system) / 1000, ms: ended - begun, lagMs }
}

function summed(name: string, all: readonly Turn[]) {
  const times = all.flatMap((one) => one.times).sort((left, right) => left - right)
  const at = (share: number): number => round(times[Math.floor(times.length * share)] ?? 0)
  // The best turn: whatever else ran on the machine can only add to it.
  return {
    case: name,
    callers,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    per_second: Math.round(Math.max(...all.map((one) => (calls / one.ms) * 1000))),
    cpu_ms: round(Math.min(...all.map((one) => one.cpuMs / calls))),
    lag_ms: Math.round(Math.min(...all.map((one) => one.lagMs))),
  }
}

const nobody = async (): Promise<HandingOn> => ({ positions: async () => [], close: async () => {} })
const kinds = {
  'nobody is told': nobody,
  'told by the serving thread': inThisThread,
  'told by a thread of its own': inItsOwn,
}
const measured = new Map<string, Turn[]>(Object.keys(kinds).map((name) => [name, []]))
for (const open of Object.values(kinds)) await turn(open)
for (let round = 0; round < turns; round += 1)
  for (const [name, open] of Object.entries(kinds)) measured.get(name)?.push(await turn(open))
await records.close()
await sink.terminate()

const results = [...measured].map(([name, all]) => summed(name, all))
const [none, here, own] = results
if (none === undefined || here === undefined || own === undefined) throw new Error('nothing was measured')
const added = (one: typeof none): number => one.cpu_ms - none.cpu_ms
const share = round(added(own) / added(here))
const rate = round(own.per_second / none.per_second)
const goals = [
  {
    name: 'processor time that handing on takes from the serving thread, over what it took there',
    unit: 'ratio',
    goal: 0.25,
    measured: share,
    met: share <= 0.25,
  },
  { name: 'calls a second, over those without receivers', unit: 'ratio', goal: 0.7, measured: rate, met: rate >= 0.7 },
]
const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
process.stdout.write(`${JSON.stringify({ benchmark: 'exporters', machine, results, goals }, null, 2)}\n`)
