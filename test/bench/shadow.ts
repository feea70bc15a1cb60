import { cpus } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { round } from './load.ts'

/*
 * What policies that are tried cost the calls that they watch, and what a replay costs those beside it: processor time
 * of the thread that serves calls, and how long calls take, with and without, in turns of one run. Time of the thread is
 * what is held to a goal, because the machine has other work for its cores than this.
 */

const calls = 400
const turns = 6
const callers = 8

interface Result {
  readonly case: string
  readonly callers: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
  /** Of the serving thread, for one call. */
  readonly cpu_ms: number
}

const schema: JsonObject = {
  type: 'object',
  properties: { limit: { type: 'integer' }, names: { type: 'array', items: { type: 'string' } } },
  required: ['limit'],
}
const plain = { limit: 5, names: ['a', 'b'] }
const long = { limit: 5, names: Array.from({ length: 2_000 }, (_, index) => `name ${index}`) }

const rules = (most: number): string =>
  [
    'permit (principal == User::"operator", action == Action::"call", resource);',
    ...Array.from(
      { length: 100 },
      (_, index) =>
        `forbid (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args.limit > ${most + index} };`,
    ),
  ].join('\n')
/** Reads the list of names, which those in force do not: a long one costs Cedar some thirty milliseconds. */
const slow = `${rules(50)}
forbid (principal, action == Action::"call", resource == Tool::"demo/export") when { context.args has names && context.args.names.contains("nobody") };`

async function call(test: TestApp, args: JsonObject): Promise<void> {
  const answer = await test.app.gateway.perform(
    {
      caller: test.app.operator,
      namespace: 'demo',
      door: 'tool',
      effect: { kind: 'call', tool: 'export', arguments: args, resume: null },
      facts: { method: 'tools/call', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
  if (answer.status !== 'ok') throw new Error(JSON.stringify(answer))
}

/** Times of single calls and processor time of this thread, over one turn. */
async function turn(
  test: TestApp,
  args: JsonObject,
  count: number,
): Promise<{ times: number[]; cpuMs: number; ms: number }> {
  const times: number[] = []
  let left = count
  const cpu = process.threadCpuUsage()
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (left > 0) {
        left -= 1
        const start = performance.now()
        await call(test, args)
        times.push(performance.now() - start)
      }
    }),
  )
  const used = process.threadCpuUsage(cpu)
  return { times, cpuMs: (used.user + used.system) / 1000, ms: performance.now() - begun }
}

function summed(name: string, all: readonly Awaited<ReturnType<typeof turn>>[]): Result {
  const times = all.flatMap((one) => one.times).sort((left, right) => left - right)
  const at = (share: number): number => round(times[Math.floor(times.length * share)] ?? 0)
  // The best turn: whatever else ran on the machine can only add to it.
  const cpu = Math.min(...all.map((one) => one.cpuMs / one.times.length))
  const ms = all.reduce((sum, one) => sum + one.ms, 0)
  return {
    case: name,
    callers,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    per_second: Math.round((times.length / ms) * 1000),
    cpu_ms: round(cpu),
  }
}

async function shadowed(test: TestApp, text: string, work: () => Promise<void>): Promise<void> {
  await test.manage('demo', 'shadow.set', { namespace: 'demo', files: [{ path: 'a.cedar', text }], comment: '' })
  await work()
  await test.manage('demo', 'audit.shadow', { namespace: 'demo' })
  await test.manage('demo', 'shadow.clear', { namespace: 'demo' })
}

await using test = await startTestApp({ entries: [toolEntry('export', () => textOutcome('done'), 'demo', schema)] })
await test.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents: []\n', 'policies/a.cedar': rules(100) })
await turn(test, plain, calls)
await turn(test, long, calls / 4)

const off: Awaited<ReturnType<typeof turn>>[] = []
const on: typeof off = []
const longOff: typeof off = []
const longOn: typeof off = []
for (let index = 0; index < turns; index += 1) {
  off.push(await turn(test, plain, calls))
  await shadowed(test, rules(50), async () => {
    await turn(test, plain, callers)
    on.push(await turn(test, plain, calls))
  })
  longOff.push(await turn(test, long, calls / 4))
  await shadowed(test, slow, async () => {
    await turn(test, long, callers)
    longOn.push(await turn(test, long, calls / 4))
  })
}

const { policySetHash } = await test.manage('demo', 'policy.show', { namespace: 'demo' })
const beside: typeof off = []
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const begun = performance.now()
let replaying = true
const replay = test
  .manage('demo', 'audit.replay', { namespace: 'demo', policySet: policySetHash ?? '', sinceSeconds: 86_400 })
  .finally(() => (replaying = false))
while (replaying) beside.push(await turn(test, plain, calls))
const report = await replay
const seconds = (performance.now() - begun) / 1000
delay.disable()

const results = [
  summed('calls, no shadow policies', off),
  summed('calls beside shadow policies', on),
  summed('long calls, no shadow policies', longOff),
  summed('long calls beside shadow policies that take 30 ms for each', longOn),
  summed('calls beside a replay', beside),
]
const cpuOf = (index: number): number => results[index]?.cpu_ms ?? 0
const goals = [
  {
    name: 'thread time of a call beside shadow policies, against none',
    unit: 'x',
    goal: 1.15,
    measured: cpuOf(1) / cpuOf(0),
  },
  {
    name: 'thread time of a long call beside slow shadow policies',
    unit: 'x',
    goal: 1.25,
    measured: cpuOf(3) / cpuOf(2),
  },
  { name: 'thread time of a call beside a replay, against none', unit: 'x', goal: 1.15, measured: cpuOf(4) / cpuOf(0) },
].map((goal) => ({ ...goal, measured: round(goal.measured), met: goal.measured <= goal.goal }))
const replayed = {
  decisions: report.replayed,
  per_second: Math.round(Number(report.replayed) / seconds),
  mismatches: (report.mismatches as JsonObject).count,
  event_loop_p99_ms: round(delay.percentile(99) / 1e6),
}

if (process.argv.includes('--json'))
  console.log(
    JSON.stringify({
      benchmark: 'shadow',
      machine: { cores: cpus().length, node: process.version },
      results,
      replayed,
      goals,
    }),
  )
else {
  console.table(results)
  console.table([replayed])
  console.table(goals)
}
