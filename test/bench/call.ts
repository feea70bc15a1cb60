import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { callRequest } from './call-request.ts'
import { load, round, type LoadResult } from './load.ts'
import type { ServerMessage } from './servers/serve.ts'

interface Result extends LoadResult {
  readonly case: string
  readonly callers: number
  readonly cpu_ms: number
}

interface Server {
  readonly child: ChildProcess
  readonly url: string
  readonly headers: Record<string, string>
}

async function startServer(file: string): Promise<Server> {
  const child = fork(new URL(file, import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const message = await nextMessage(child, 'ready')
  return { child, url: message.url, headers: message.headers }
}

async function nextMessage<Type extends ServerMessage['type']>(
  child: ChildProcess,
  type: Type,
): Promise<Extract<ServerMessage, { type: Type }>> {
  for (;;) {
    const stop = new AbortController()
    const { signal } = stop
    const ended = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`the server ended with ${String(code)}`)
    })
    ended.catch(() => {})
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [ServerMessage]
    stop.abort()
    if (message.type === type) return message as Extract<ServerMessage, { type: Type }>
  }
}

async function usage(child: ChildProcess): Promise<number> {
  child.send('usage')
  return (await nextMessage(child, 'usage')).cpuMs
}

async function measure(
  name: string,
  server: Server,
  tool: string,
  args: object,
  expected: string,
  callers: number,
  calls: number,
): Promise<Result> {
  const request = callRequest(server.url, server.headers, tool, args)
  await load(request, callers, Math.ceil(calls / 5), expected)
  const before = await usage(server.child)
  const result = await load(request, callers, calls, expected)
  const cpuMs = (await usage(server.child)) - before
  return { case: name, callers, ...result, cpu_ms: round(cpuMs / calls) }
}

function medianOf(name: string, callers: number, measured: readonly Result[]): Result {
  const median = (key: 'p50_ms' | 'p99_ms' | 'per_second' | 'cpu_ms'): number =>
    measured.map((result) => result[key]).toSorted((a, b) => a - b)[Math.floor(measured.length / 2)] ?? Number.NaN
  const calls = measured.reduce((sum, result) => sum + result.calls, 0)
  return {
    case: name,
    callers,
    calls,
    p50_ms: median('p50_ms'),
    p99_ms: median('p99_ms'),
    per_second: median('per_second'),
    cpu_ms: median('cpu_ms'),
  }
}

/** How often each case is measured. */
const rounds = 5
const scale = Number(process.env.BENCH_SCALE ?? 1)
const plain = await startServer('./servers/plain-sdk-server.ts')
const product = await startServer('./servers/mcpworks-server.ts')
const results: Result[] = []
for (const callers of [1, 16, 64]) {
  const calls = Math.ceil((callers === 1 ? 1000 : 5000) * scale)
  const measured: Result[] = []
  // Turn about, so that what else the machine does falls on both; the median of each figure is what counts.
  for (let round = 0; round < rounds; round += 1) {
    measured.push(await measure('plain SDK server', plain, 'echo-say', { text: 'hello' }, 'hello', callers, calls))
    measured.push(
      await measure('mcpworks, echo upstream', product, 'echo-say', { text: 'hello' }, 'hello', callers, calls),
    )
  }
  const few = Math.ceil(calls / 20)
  measured.push(
    await measure(
      'mcpworks, do-nothing function',
      product,
      'noop-noop',
      { anything: 1 },
      '"structuredContent":{}',
      callers,
      few,
    ),
  )
  for (const [name, same] of Map.groupBy(measured, (result) => result.case)) results.push(medianOf(name, callers, same))
}
plain.child.disconnect()
product.child.disconnect()

function figure(name: string, callers: number, key: 'p50_ms' | 'p99_ms' | 'per_second'): number {
  return results.find((result) => result.case === name && result.callers === callers)?.[key] ?? Number.NaN
}
function ratio(callers: number, key: 'p50_ms' | 'p99_ms' | 'per_second'): number {
  return round(figure('mcpworks, echo upstream', callers, key) / figure('plain SDK server', callers, key))
}
const p50 = ratio(1, 'p50_ms')
const rate = ratio(64, 'per_second')
const p99 = ratio(64, 'p99_ms')
console.log(
  JSON.stringify(
    {
      benchmark: 'call',
      machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version },
      results,
      goals: [
        {
          name: 'echo upstream, p50 at 1 caller',
          unit: 'times the plain SDK server',
          goal: '<= 7',
          measured: p50,
          met: p50 <= 7,
        },
        {
          name: 'echo upstream, calls/s at 64 callers',
          unit: 'times the plain SDK server',
          goal: '>= 0.25',
          measured: rate,
          met: rate >= 0.25,
        },
        {
          name: 'echo upstream, p99 at 64 callers',
          unit: 'times the plain SDK server',
          goal: '<= 2',
          measured: p99,
          met: p99 <= 2,
        },
      ],
    },
    null,
    2,
  ),
)
