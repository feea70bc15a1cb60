import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { callRequest } from './call-request.ts'
import { load, round } from './load.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const runs = 5
const calls = Math.ceil(10_000 * Number(process.env.BENCH_SCALE ?? 1))

interface Started {
  readonly child: ChildProcess
  readonly ms: number
  readonly line: JsonObject
}

/** From the start of the process to the line that says that it listens. */
async function startProduct(dataDirectory: string): Promise<Started> {
  const before = performance.now()
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, '--json', '--data-directory', dataDirectory, 'up', '--port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [text] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const line: unknown = JSON.parse(text)
  if (!isJsonObject(line)) throw new Error(text)
  return { child, ms: performance.now() - before, line }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** The baseline: the same Node starting to do nothing. */
async function bareNode(): Promise<number> {
  const before = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
  return performance.now() - before
}

/** Resident memory of a process and of all that it started, in bytes. */
function residentBytes(pid: number): number {
  // Jails share nearly all of it with their zygote: each page is shared out among those that map it.
  const own = Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter((text) => text !== '')
  return children.reduce((sum, child) => sum + residentBytes(Number(child)), own)
}

function p50(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

const cold: number[] = []
const warm: number[] = []
const bare: number[] = []
let memory = { idle: 0, after: 0 }
for (let run = 0; run < runs; run += 1) {
  const directory = mkdtempSync(join(tmpdir(), 'mcpworks-bench-start-'))
  bare.push(await bareNode())
  const first = await startProduct(directory)
  cold.push(first.ms)
  const demo = isJsonObject(first.line.demo) ? first.line.demo : {}
  const agent = Array.isArray(demo.agents)
    ? demo.agents.find((one) => isJsonObject(one) && one.name === 'analyst')
    : null
  const apiKey = isJsonObject(agent) ? String(agent.apiKey) : ''
  await stop(first.child)
  const second = await startProduct(directory)
  warm.push(second.ms)
  if (run === runs - 1) {
    const pid = second.child.pid ?? 0
    const idle = residentBytes(pid)
    // Real calls: each runs its function in a jail of its own, which is gone again when memory is looked at.
    const endpoint = `${String(second.line.url)}/mcp/demo`
    const request = callRequest(endpoint, { authorization: `Bearer ${apiKey}` }, 'leads-top', { n: 1 })
    await load(request, 16, calls, 'company')
    memory = { idle, after: residentBytes(pid) }
  }
  await stop(second.child)
  rmSync(directory, { recursive: true, force: true })
}

const warmRatio = round(p50(warm) / p50(bare))
console.log(
  JSON.stringify(
    {
      benchmark: 'start',
      machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version },
      results: [
        { case: 'bare node -e 0', p50_ms: round(p50(bare)) },
        { case: 'cold start: new data directory, demo set up', p50_ms: round(p50(cold)) },
        { case: 'warm start: finds its state', p50_ms: round(p50(warm)) },
        { case: 'resident memory, idle (PSS of the server and all that it started)', bytes: memory.idle },
        { case: `resident memory after ${calls} calls`, bytes: memory.after },
      ],
      goals: [
        { name: 'warm start', unit: 'times a bare node', goal: '<= 80', measured: warmRatio, met: warmRatio <= 80 },
        {
          name: `memory after ${calls} calls`,
          unit: 'times idle',
          goal: '<= 2.5',
          measured: round(memory.after / memory.idle),
          met: memory.after / memory.idle <= 2.5,
        },
      ],
    },
    null,
    2,
  ),
)
