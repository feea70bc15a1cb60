import { cpus } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Candidate } from './sandbox/candidate.ts'
import { cases, configurations, type Case } from './sandbox/cases.ts'
import { goalsOf, type QueueFigures, type Result } from './sandbox/goals.ts'
import { idleMemory } from './sandbox/idle-memory.ts'
import { figuresOf, quantile, round, type Measured, type Measurement } from './sandbox/measurement.ts'
import type { ProcessMemory } from './sandbox/process-tree.ts'
import { printTable } from './sandbox/print-table.ts'
import { findNsjail, helloJson, rawCommands } from './sandbox/raw-commands.ts'
import { RawLauncher } from './sandbox/raw-launcher.ts'

// What a call costs through the sandbox, and what the same runtime costs in a raw jail, in one run. The rounds of all cases
// and baselines take turns, so that what else the machine does falls on all; medians and their spread over the rounds count.

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.6' },
    /** Only cases, and baselines, whose names hold this. */
    only: { type: 'string', default: '' },
    nsjail: { type: 'string', ...(process.env.NSJAIL === undefined ? {} : { default: process.env.NSJAIL }) },
    engine: { type: 'string', default: 'auto' },
  },
})
const rounds = Number(options.rounds)
const callersOfBaselines = [1, 4, 16]
/** Between the calls of a case in which a jail shall wait for each. */
const warmPauseMs = 100
const queuedCalls = 500
/** So many call at once before memory is looked at: what jails share is counted by how many wait. */
const callersBeforeWaiting = 4

/** One figure that is measured in every round. */
interface Bench {
  readonly name: string
  readonly mode: string
  readonly callers: number
  readonly baseline: string | null
  readonly measure: (measurement: Measurement) => Promise<Measured>
  readonly rounds: Measured[]
}

interface Unavailable {
  readonly case: string
  readonly mode: string
  /** Left out where it is so for any number of callers. */
  readonly callers?: number
  readonly reason: string
}

const unavailable: Unavailable[] = []
const note = (text: string): void => void (options.json || process.stderr.write(`${text}\n`))

async function startCandidates(): Promise<Map<string, Candidate>> {
  const wanted = cases.filter((each) => each.case.includes(options.only))
  const started = new Map<string, Candidate>()
  for (const [name, config] of configurations) {
    const users = wanted.filter((each) => each.configuration === name)
    if (users.length === 0) continue
    try {
      started.set(name, await Candidate.start({ ...config, engine: options.engine }))
    } catch (error) {
      for (const each of users) unavailable.push({ case: each.case, mode: each.mode, reason: String(error) })
    }
  }
  return started
}

/** Each case once, so that one that does not work is told of and left out. */
async function benchesOf(candidates: ReadonlyMap<string, Candidate>): Promise<Bench[]> {
  const benches: Bench[] = []
  for (const each of cases.filter((one) => one.case.includes(options.only))) {
    const candidate = candidates.get(each.configuration)
    if (candidate === undefined) continue
    try {
      await candidate.callOnce(each.program)
    } catch (error) {
      unavailable.push({ case: each.case, mode: each.mode, reason: String(error).slice(0, 500) })
      continue
    }
    for (const callers of each.callers) benches.push(benchOf(each, callers, candidate))
  }
  return benches
}

function benchOf(each: Case, callers: number, candidate: Candidate): Bench {
  const pauseMs = each.mode === 'warm' ? warmPauseMs : 0
  return {
    name: each.case,
    mode: each.mode,
    callers,
    baseline: each.baseline,
    measure: async (measurement) => await candidate.measure(each.program, { ...measurement, pauseMs }),
    rounds: [],
  }
}

async function rawBenches(
  commands: ReadonlyMap<string, readonly string[] | null>,
  launchers: { readonly plain: RawLauncher; readonly unified: RawLauncher },
): Promise<Bench[]> {
  const benches: Bench[] = []
  for (const [name, command] of commands) {
    if (!name.includes(options.only)) continue
    if (command === null) {
      unavailable.push({ case: name, mode: 'raw', reason: 'it is not on this machine' })
      continue
    }
    const launcher = name.includes('crun') ? launchers.unified : launchers.plain
    const measure = async (measurement: Measurement): Promise<Measured> =>
      await launcher.measure(command, helloJson, measurement)
    try {
      await measure({ callers: 1, seconds: 0, leastCalls: 1, mostCalls: 1 })
    } catch (error) {
      unavailable.push({ case: name, mode: 'raw', reason: String(error).slice(0, 500) })
      continue
    }
    for (const callers of callersOfBaselines)
      benches.push({ name, mode: 'raw', callers, baseline: null, measure, rounds: [] })
  }
  return benches
}

/** One that fails in one round has no figures: it is told of, and not tried again. */
async function measureRound(bench: Bench): Promise<void> {
  const { name, mode, callers } = bench
  if (unavailable.some((each) => each.case === name && each.mode === mode && each.callers === callers)) return
  const leastCalls = Math.max(5, callers)
  try {
    bench.rounds.push(await bench.measure({ callers, seconds: Number(options.seconds), leastCalls, mostCalls: 5000 }))
  } catch (error) {
    unavailable.push({ case: name, mode, callers, reason: String(error).slice(0, 500) })
    bench.rounds.length = 0
  }
}

function resultsOf(benches: readonly Bench[]): Result[] {
  const done = benches.filter((bench) => bench.rounds.length > 0)
  const figures = new Map(done.map((bench) => [bench, figuresOf(bench.rounds)]))
  return done.map((bench) => {
    const own = figuresOf(bench.rounds)
    const raw = benches.find((each) => each.name === bench.baseline && each.callers === bench.callers)
    const base = raw === undefined ? undefined : figures.get(raw)
    return {
      case: bench.name,
      mode: bench.mode,
      callers: bench.callers,
      ...own,
      baseline: bench.baseline,
      p50_ratio: base === undefined ? null : round(own.p50_ms / base.p50_ms),
      per_second_ratio: base === undefined ? null : round(own.per_second / base.per_second),
    }
  })
}

/** Many calls at the same moment: what counts is that none of them waits much longer than the others. */
async function measureQueue(candidate: Candidate | undefined): Promise<QueueFigures | null> {
  const program = cases.find((each) => each.case === 'python')?.program
  if (candidate === undefined || program === undefined) return null
  const times = await Promise.all(Array.from({ length: queuedCalls }, async () => await candidate.callOnce(program)))
  return {
    calls: queuedCalls,
    p50_ms: round(quantile(times, 0.5)),
    p99_ms: round(quantile(times, 0.99)),
    lastMs: round(Math.max(...times)),
  }
}

/** What is there while a jail of each runtime waits for the next call. */
async function memoryOfWaiting(candidate: Candidate | undefined): Promise<ProcessMemory[]> {
  if (candidate === undefined) return []
  const waiting = cases.filter((each) => each.mode === 'warm' && each.configuration === 'fast')
  for (let call = 0; call < 5; call += 1) {
    for (const { program } of waiting) {
      await Promise.all(Array.from({ length: callersBeforeWaiting }, async () => await candidate.callOnce(program)))
      await pause(warmPauseMs)
    }
  }
  await pause(10 * warmPauseMs)
  return candidate.memory()
}

const raw = rawCommands(findNsjail(options.nsjail))
const launchers = {
  plain: RawLauncher.start({ hideUnified: false }),
  unified: RawLauncher.start({ hideUnified: true }),
}
const candidates = await startCandidates()
try {
  const benches = [...(await rawBenches(raw.commands, launchers)), ...(await benchesOf(candidates))]
  for (let turn = 1; turn <= rounds; turn += 1) {
    note(`round ${turn} of ${rounds}`)
    for (const bench of benches) await measureRound(bench)
  }
  const queue = await measureQueue(candidates.get('fast'))
  const processes = await memoryOfWaiting(candidates.get('fast'))
  const memory = idleMemory(processes)
  const results = resultsOf(benches)
  const report = {
    benchmark: 'sandbox',
    machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version },
    engine: [...candidates.values()][0]?.engine ?? 'none',
    rounds,
    results,
    queue,
    idle_memory: {
      python_child_bytes: memory.pythonChildBytes,
      python_children: memory.pythonChildren,
      bun_jail_bytes: memory.bunJailBytes,
      bun_jails: memory.bunJails,
      processes,
    },
    unavailable,
    goals: goalsOf(results, queue, memory),
  }
  if (options.json) console.log(JSON.stringify(report, null, 2))
  else printTable(report)
} finally {
  for (const candidate of candidates.values()) await candidate.close()
  launchers.plain.close()
  launchers.unified.close()
  raw.close()
}
