import { createHash } from 'node:crypto'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { auditMigrations } from '../../src/storage/audit-migrations.ts'
import { recordId } from '../../src/storage/record-id.ts'
import { openWritable } from '../../src/storage/sqlite-database.ts'

/** The namespace that is searched. */
export const namespace = 'demo'
/** When the first record was written, and the milliseconds between two. */
export const beganMs = 1_780_000_000_000
export const stepMs = 40

/** Records of the log that is written one by one; larger ones repeat it. A whole number of blocks, runs and calls. */
export const templateRecords = 25 * 4096
/** Calls of a run. */
export const callsOfRun = 20

/**
 * Writes a log of `templateRecords` as they would lie on disk: decisions and outcomes in their real form, without what
 * no search reads (hashes, credentials), and unsigned.
 */
export function writeSearchLog(path: string): void {
  const database = openFast(path)
  database.prepare('INSERT INTO logs (namespace) VALUES (?)').run(namespace)
  const insert = database.prepare(
    'INSERT INTO records (seq, log, idx, id, time_ms, kind, call, principal, leaf_hash, json) VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const random = randomFrom(7)
  database.exec('BEGIN')
  for (let call = 0; call * 2 < templateRecords; call++) writeCall((...row) => insert.run(...row), call, random)
  database.exec('COMMIT')
  fold(database)
}

/** Opens the database of a log for what need not outlive a power cut. */
export function openFast(path: string): DatabaseSync {
  const database = openWritable({ path, migrations: auditMigrations, checkpointPages: 20_000, maxPages: null })
  database.exec('PRAGMA synchronous = OFF')
  database.exec('PRAGMA cache_size = -200000')
  return database
}

/** Leaves one file. */
export function fold(database: DatabaseSync): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

/** The id of the call of a number. */
export function callId(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
}

/** The run of the call of a number. */
export function runOf(number: number): string {
  return `run-${String(Math.floor(number / callsOfRun)).padStart(9, '0')}`
}

type Insert = (...row: SQLInputValue[]) => void

const leaf = createHash('sha256').update('leaf').digest()
const noBytes = Buffer.alloc(4)

function writeCall(insert: Insert, number: number, random: () => number): void {
  const call = callId(number)
  const seq = number * 2
  const timeMs = beganMs + seq * stepMs
  const { decision, outcome, principal } = textsOf(number, call, random)
  insert(
    seq,
    seq,
    recordId(timeMs, seq, () => noBytes),
    timeMs,
    'decision',
    call,
    principal,
    leaf,
    decision,
  )
  const endedMs = timeMs + stepMs
  insert(
    seq + 1,
    seq + 1,
    recordId(endedMs, seq + 1, () => noBytes),
    endedMs,
    'outcome',
    call,
    null,
    leaf,
    outcome,
  )
}

/** Of what has many values, most calls have few: the first few have most of all. */
function skewed(random: () => number, count: number): number {
  return Math.floor(count * random() ** 3)
}

function textsOf(number: number, call: string, random: () => number) {
  const agent = `agent-${skewed(random, 200)}`
  const service = skewed(random, 40)
  const tool = `service-${service}-tool-${skewed(random, 8)}`
  const isDenied = random() < 0.08
  const rule = `service-${service}.cedar#${isDenied ? 'forbid' : 'permit'}-${skewed(random, 4)}`
  // The door of code is taken in one half of the services only, and the label is given in the other.
  const door = service % 2 === 0 && random() < 0.5 ? 'code' : 'tool'
  const labels = service % 2 === 1 && random() < 0.3 ? ['confidential'] : []
  const principal = `${namespace}/${agent}`
  const run = runOf(number)
  const reason = `Group ${service} may use its own service.`
  const [status, detail] = endOf(random(), number)
  const decision = JSON.stringify({
    call,
    decision: {
      basis: isDenied ? 'forbid' : 'permit',
      determining: [{ effect: isDenied ? 'forbid' : 'permit', id: rule, reason, remedy: null }],
      effect: isDenied ? 'deny' : 'allow',
      errors: [],
      obligations: [],
    },
    kind: 'decision',
    mcp: { method: 'tools/call' },
    parent_call: null,
    pre: {
      door,
      labels_before: labels,
      principal: { id: principal },
      target: { service: `service-${service}`, tool },
    },
    run,
  })
  const outcome = JSON.stringify({
    call,
    kind: 'outcome',
    outcome: { detail, duration_ms: 41.5, labels_after: labels, status: isDenied ? 'protocol-error' : status },
    parent_call: null,
    run,
  })
  return { principal, decision, outcome }
}

function endOf(chance: number, number: number): readonly [status: string, detail: string | null] {
  if (chance < 0.9) return ['ok', null]
  if (chance < 0.97) return ['tool-error', `the tool failed with code ${number % 50}`]
  return chance < 0.99 ? ['timeout', 'time: 30 s reached'] : ['limit', 'memory: 128 MiB reached']
}

/** Numbers from 0 to 1 that are the same in every run (a linear congruential generator). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
