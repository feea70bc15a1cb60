import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyDecisionLog, type AuditReader } from '../../src/audit/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { openAuditReader, openPostgresAuditReader, openPostgresLog, openStorage } from '../../src/storage/index.ts'
import { startPostgresCluster } from '../support/postgres-cluster.ts'
import { appendPairs, bytesOfPair } from './audit/append-pairs.ts'
import type { Measurement } from './audit/measurement.ts'
import { rawPairs, rawPostgres, rawSqlite } from './audit/raw-inserts.ts'

/*
 * What the decision log costs: decisions with their outcomes at 1, 16 and 64 callers, against raw inserts of as many
 * bytes into the same database with the same sync setting, in one run; and how fast a log is verified.
 * Options: --directory DIR for the databases (a disk that syncs, not a memory file system).
 */

const pairsOf = (callers: number): number => (callers === 1 ? 3_000 : 16_000)

interface Result extends Measurement {
  readonly database: string
}
interface Goal {
  readonly name: string
  readonly unit: string
  readonly goal: number
  readonly measured: number
  readonly met: boolean
}

const results: Result[] = []
const goals: Goal[] = []
const ratio = (name: string, goal: number, measured: number, isMet: boolean, unit = 'ratio'): void => {
  goals.push({ name, unit, goal, measured: Number(measured.toFixed(unit === 'ratio' ? 2 : 0)), met: isMet })
}

async function sqlite(directory: string): Promise<void> {
  const dataDirectory = join(directory, 'log')
  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const bytes = await bytesOfPair(storage.decisionLog)
  const raw = (callers: number) => rawPairs(rawSqlite(directory), callers, pairsOf(callers), bytes)
  await compare('SQLite', raw, (callers) => appendPairs(storage.decisionLog, callers, pairsOf(callers)))
  await storage.close()
  await verify('SQLite', openAuditReader({ dataDirectory }), 'own processor time')
}

async function postgres(directory: string): Promise<void> {
  const cluster = await startPostgresCluster()
  try {
    const database = { url: cluster.url(), caFile: null }
    const masterKey = randomBytes(32)
    const publicKeyPath = join(directory, 'postgres.pub')
    const log = await openPostgresLog({ database, masterKey, clock: systemClock, publicKeyPath })
    const bytes = await bytesOfPair(log.decisionLog)
    const raw = async (callers: number) => rawPairs(await rawPostgres(database.url), callers, pairsOf(callers), bytes)
    await compare('PostgreSQL', raw, (callers) => appendPairs(log.decisionLog, callers, pairsOf(callers)))
    await log.close()
    await verify('PostgreSQL', openPostgresAuditReader({ database, masterKey, publicKeyLine: null }), 'time')
  } finally {
    await cluster.close()
  }
}

/**
 * Whoever verifies has one core. On SQLite all work is this process's own, so that its processor time says what one core
 * does, all threads together and whatever else runs on the machine; a database works in processes that are not counted.
 */
async function verify(database: string, reader: AuditReader, by: 'own processor time' | 'time'): Promise<void> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const report = await verifyDecisionLog({ reader })
  const elapsed = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  await reader.close()
  if (!report.ok) throw new Error(JSON.stringify(report.firstProblem))
  const { checked } = report.records
  const perSecond = (checked / elapsed) * 1000
  const perCore = (checked / (by === 'time' ? elapsed : (user + system) / 1000)) * 1000
  const name = `${database}: records verified a second of ${by}, bodies opened`
  ratio(name, 50_000, perCore, perCore >= 50_000, 'records/s')
  results.push({
    database,
    case: 'verify',
    callers: 1,
    p50_ms: Number((elapsed / checked).toFixed(5)),
    p99_ms: Number((elapsed / checked).toFixed(5)),
    per_second: Math.round(perSecond),
    cpu_ms: Number(((user + system) / 1000 / checked).toFixed(5)),
  })
}

/** The raw side before and after, because a shared machine drifts. */
async function compare(
  database: string,
  raw: (callers: number) => ReturnType<typeof rawPairs>,
  log: (callers: number) => ReturnType<typeof appendPairs>,
): Promise<void> {
  for (const callers of [1, 16, 64]) {
    const [before, own, after] = [await raw(callers), await log(callers), await raw(callers)]
    const all = [before.insert, before.pairs, own.append, own.pairs, after.insert, after.pairs]
    results.push(...all.map((measured) => ({ database, ...measured })))
    if (callers === 1) {
      const p50 = own.append.p50_ms / ((before.insert.p50_ms + after.insert.p50_ms) / 2)
      ratio(`${database}: p50 of an append at 1 caller over one raw durable insert`, 3, p50, p50 <= 3)
    }
    if (callers === 64) {
      const rate = own.pairs.per_second / ((before.pairs.per_second + after.pairs.per_second) / 2)
      ratio(`${database}: pairs a second at 64 callers over raw grouped inserts of their bytes`, 0.3, rate, rate >= 0.3)
    }
  }
}

const given = process.argv.indexOf('--directory')
const directory = mkdtempSync(join(given === -1 ? tmpdir() : (process.argv[given + 1] ?? ''), 'mcpworks-bench-'))
try {
  await sqlite(directory)
  await postgres(directory)
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version }
  process.stdout.write(`${JSON.stringify({ benchmark: 'audit', machine, results, goals }, null, 2)}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
