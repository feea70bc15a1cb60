import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { RecordDraft } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'

// Appends of decision and outcome pairs against raw inserts of rows of the same size with the same sync setting, in one run.

interface Result {
  readonly case: string
  readonly callers: number
  readonly p50_ms: number
  readonly p99_ms: number
  readonly per_second: number
  readonly cpu_ms: number
}

const perCaller = (callers: number) => Math.max(100, Math.round(24_000 / (callers + 7)))

function summary(name: string, callers: number, times: number[], elapsedMs: number, cpuMs: number): Result {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number) => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(3))
  const perSecond = Math.round((times.length / elapsedMs) * 1000)
  return {
    case: name,
    callers,
    p50_ms: at(0.5),
    p99_ms: at(0.99),
    per_second: perSecond,
    cpu_ms: Number((cpuMs / times.length).toFixed(4)),
  }
}

async function measure(name: string, callers: number, work: (caller: number) => Promise<number[]>): Promise<Result> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const times = await Promise.all(Array.from({ length: callers }, (_, caller) => work(caller)))
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  return summary(name, callers, times.flat(), elapsed, (used.user + used.system) / 1000)
}

/** One transaction and sync for `group` rows, on this thread, as fast as SQLite can: what 'group' callers could have at best. */
function rawInserts(directory: string, group: number, rowBytes: number): Result {
  const database = new DatabaseSync(join(directory, `raw-${group}.db`))
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (seq INTEGER PRIMARY KEY, body BLOB)',
  )
  const insert = database.prepare('INSERT INTO rows (body) VALUES (?)')
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  const body = Buffer.alloc(rowBytes, 'x')
  const times: number[] = []
  const rounds = perCaller(group)
  const cpu = process.cpuUsage()
  const begun = performance.now()
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    begin.run()
    for (let row = 0; row < group; row++) insert.run(body)
    commit.run()
    const took = performance.now() - start
    for (let row = 0; row < group; row++) times.push(took)
  }
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  database.close()
  return summary('raw insert', group, times, elapsed, (used.user + used.system) / 1000)
}

async function appends(directory: string, callers: number): Promise<Result> {
  const storage = await openStorage({ dataDirectory: join(directory, `log-${callers}`), clock: systemClock })
  const timed = async (draft: RecordDraft, times: number[]) => {
    const start = performance.now()
    await storage.decisionLog.append(draft)
    times.push(performance.now() - start)
  }
  const work = async (rounds: number) => {
    const times: number[] = []
    for (let round = 0; round < rounds; round += 2) {
      const decision = decisionDraft()
      await timed(decision, times)
      await timed(outcomeDraft(decision), times)
    }
    return times
  }
  await Promise.all(Array.from({ length: callers }, () => work(Math.ceil(2000 / callers))))
  const result = await measure('append', callers, () => work(perCaller(callers)))
  await storage.close()
  return result
}

const directory = mkdtempSync(
  join(
    process.argv.includes('--directory') ? (process.argv[process.argv.indexOf('--directory') + 1] ?? '') : tmpdir(),
    'mcpworks-bench-',
  ),
)
try {
  const results: Result[] = []
  for (const callers of [1, 16, 64]) {
    // Before and after, because a shared machine drifts.
    const before = rawInserts(directory, callers, 1500)
    rmSync(join(directory, `raw-${callers}.db`))
    results.push(before, await appends(directory, callers), rawInserts(directory, callers, 1500))
  }
  const of = (name: string, callers: number) => {
    const found = results.filter((result) => result.case === name && result.callers === callers)
    const mean = (pick: (result: Result) => number) =>
      found.reduce((sum, result) => sum + pick(result), 0) / found.length
    return { p50: mean((result) => result.p50_ms), rate: mean((result) => result.per_second) }
  }
  const p50Ratio = of('append', 1).p50 / of('raw insert', 1).p50
  const rateRatio = of('append', 64).rate / of('raw insert', 64).rate
  const report = {
    benchmark: 'append',
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
    results,
    goals: [
      {
        name: 'p50 of an append at 1 caller over one raw durable insert',
        unit: 'ratio',
        goal: 3,
        measured: Number(p50Ratio.toFixed(2)),
        met: p50Ratio <= 3,
      },
      {
        name: 'appends/s at 64 callers over raw grouped inserts',
        unit: 'ratio',
        goal: 0.3,
        measured: Number(rateRatio.toFixed(2)),
        met: rateRatio >= 0.3,
      },
    ],
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
