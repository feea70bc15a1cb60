import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { SearchField, SearchPage, SearchQuery } from '../../src/audit/index.ts'
import type { AuditTables } from '../../src/storage/audit-tables.ts'
import { readableDialect } from '../../src/storage/readable-dialect.ts'
import { LogIndexer } from '../../src/storage/search/index-log.ts'
import { SqliteLogRows } from '../../src/storage/search/log-rows.ts'
import { openSearchIndex } from '../../src/storage/search/open-search-index.ts'
import { SearchClient } from '../../src/storage/search/search-client.ts'
import { termNumbers } from '../../src/storage/search/term-numbers.ts'
import { openReadable } from '../../src/storage/sqlite-database.ts'
import { queryPlans } from '../support/query-plans.ts'
import { repeatIndex, repeatLog } from './repeat-search-log.ts'
import { addRareCalls } from './add-rare-calls.ts'
import { beganMs, callId, namespace, runOf, stepMs, templateRecords, writeSearchLog } from './search-log-fixture.ts'

// Searches over 100,000 records and over 10 million, in one run. The log of the small size is written record by record
// and indexed by the product; the large one repeats it, log and index, with calls, runs and times of its own, because
// what is measured is finding. Rare values are the same few calls in both, frequent ones have the same share.

const copies = 98
const rounds = 60

interface Case {
  readonly name: string
  /** What no index of single values answers without a look at all of both; measured without a goal. */
  readonly isWorst?: boolean
  readonly query: (records: number) => Partial<SearchQuery>
}

const by =
  (fields: Partial<Record<SearchField, string>>, more: Partial<SearchQuery> = {}) =>
  () => ({ fields, ...more })
const atMs = (record: number): number => beganMs + record * stepMs

const cases: readonly Case[] = [
  { name: 'newest of all', query: by({}) },
  { name: 'agent, frequent', query: by({ agent: `${namespace}/agent-0` }) },
  { name: 'agent, rare', query: by({ agent: `${namespace}/rare` }) },
  { name: 'agent, none', query: by({ agent: `${namespace}/nobody` }) },
  { name: 'tool, frequent', query: by({ tool: 'service-0-tool-0' }) },
  { name: 'tool, rare', query: by({ tool: 'rare-tool' }) },
  { name: 'service, frequent', query: by({ service: 'service-0' }) },
  { name: 'rule, frequent', query: by({ rule: 'service-0.cedar#permit-0' }) },
  { name: 'rule, rare', query: by({ rule: 'rare.cedar#rule' }) },
  { name: 'effect, frequent', query: by({ effect: 'allow' }) },
  { name: 'effect, seldom', query: by({ effect: 'deny' }) },
  { name: 'status, seldom', query: by({ status: 'timeout' }) },
  { name: 'label', query: by({ label: 'confidential' }) },
  { name: 'door', query: by({ door: 'code' }) },
  { name: 'run', query: (records) => ({ fields: { run: runOf(records / 4) } }) },
  { name: 'call', query: (records) => ({ call: callId(records / 4) }) },
  { name: 'word, frequent', query: by({}, { text: 'group' }) },
  { name: 'word, rare', query: by({}, { text: 'seldom' }) },
  { name: 'words, two frequent', query: by({}, { text: 'memory reached' }) },
  {
    name: 'time, an hour in the middle',
    query: (records) => ({ fromMs: atMs(records / 2) - 3_600_000, toMs: atMs(records / 2) }),
  },
  {
    name: 'time and frequent',
    query: (records) => ({
      fields: { effect: 'deny' },
      fromMs: atMs(records / 2) - 3_600_000,
      toMs: atMs(records / 2),
    }),
  },
  { name: 'two frequent: agent and tool', query: by({ agent: `${namespace}/agent-0`, tool: 'service-0-tool-0' }) },
  { name: 'two frequent: agent and effect', query: by({ agent: `${namespace}/agent-0`, effect: 'deny' }) },
  { name: 'two frequent: service and label', query: by({ service: 'service-1', label: 'confidential' }) },
  { name: 'two frequent: door and status', query: by({ door: 'code', status: 'tool-error' }) },
  {
    name: 'two frequent that never meet: service and label',
    isWorst: true,
    query: by({ service: 'service-0', label: 'confidential' }),
  },
  {
    name: 'two frequent that never meet: agent and tool',
    query: by({ agent: `${namespace}/agent-0`, tool: 'rare-tool' }),
  },
  { name: 'frequent and rare', query: by({ rule: 'rare.cedar#rule', door: 'tool' }) },
  {
    name: 'three: agent, effect and word',
    query: by({ agent: `${namespace}/agent-0`, effect: 'deny' }, { text: 'group' }),
  },
  { name: 'a page in the middle', query: (records) => ({ fields: { effect: 'deny' }, before: records / 2 }) },
]

function whole(query: Partial<SearchQuery>): SearchQuery {
  const none = { namespace, fields: {}, call: null, text: '', fromMs: null, toMs: null, reads: false }
  return { ...none, before: null, limit: 50, ...query }
}

function partsOf(auditPath: string) {
  const log = new Kysely<AuditTables>({ dialect: readableDialect(openReadable(auditPath)) })
  return { rows: new SqliteLogRows(log), close: () => log.destroy() }
}

/** Has the product index the log, and answers how many records it took in a second. */
async function index(auditPath: string, searchPath: string): Promise<number> {
  const { rows, close } = partsOf(auditPath)
  const opened = await openSearchIndex(searchPath, rows)
  const indexer = new LogIndexer(rows, opened.index, termNumbers(opened.seed), opened.cursor)
  const began = performance.now()
  while ((await indexer.step(2000)) > 0);
  const perSecond = Math.round((templateRecords / (performance.now() - began)) * 1000)
  await opened.close()
  await close()
  return perSecond
}

/** The log and the index of the large size, out of the small one's. */
async function enlarge(auditPath: string, searchPath: string): Promise<void> {
  repeatLog(auditPath, copies)
  const database = new DatabaseSync(searchPath)
  const seed = database.prepare("SELECT value FROM search_meta WHERE name = 'seed'").get()?.['value']
  repeatIndex(database, copies, termNumbers(String(seed)))
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

/** One of the two sizes, ready to be searched. */
interface Size {
  readonly records: number
  readonly search: SearchClient
}

interface Measured {
  readonly times: number[]
  readonly page: SearchPage
}

/** Both sizes by turns, because a shared machine drifts. */
async function measure({ query }: Case, sizes: readonly Size[]): Promise<Measured[]> {
  const measured: Measured[] = []
  for (const { records, search } of sizes)
    measured.push({ times: [], page: await search.search(whole(query(records))) })
  for (let round = 0; round < rounds; round++)
    for (const [size, { records, search }] of sizes.entries()) {
      const asked = whole(query(records))
      const began = performance.now()
      await search.search(asked)
      measured[size]?.times.push(performance.now() - began)
    }
  return measured
}

function row(name: string, records: number, { times, page }: Measured) {
  return {
    case: `${name}, ${records} records`,
    callers: 1,
    p50_ms: quantile(times, 0.5),
    p99_ms: quantile(times, 0.99),
    per_second: Math.round(1000 / quantile(times, 0.5)),
    hits: page.hits.length,
    more: page.next !== null,
    stopped: page.stopped,
  }
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other)
  return Number((sorted[Math.floor(times.length * share)] ?? 0).toFixed(3))
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

const given = process.argv.indexOf('--directory')
const directory = mkdtempSync(join(given === -1 ? tmpdir() : (process.argv[given + 1] ?? ''), 'mcpworks-bench-'))
const pathsOf = (size: string) => ({
  auditPath: join(directory, `audit-${size}.db`),
  searchPath: join(directory, `search-${size}.db`),
})
try {
  const small = pathsOf('small')
  const large = pathsOf('large')
  writeSearchLog(small.auditPath)
  const indexedPerSecond = await index(small.auditPath, small.searchPath)
  copyFileSync(small.auditPath, large.auditPath)
  copyFileSync(small.searchPath, large.searchPath)
  await enlarge(large.auditPath, large.searchPath)
  const sizes = [
    { ...small, records: templateRecords },
    { ...large, records: templateRecords * copies },
  ]
  for (const { auditPath, searchPath, records } of sizes) await addRareCalls(auditPath, searchPath, records)
  const [smaller = '', larger = ''] = sizes.map(({ records }) => String(records))
  if (process.argv.includes('--plans')) {
    const asked = cases.map(({ query }) => whole(query(templateRecords)))
    note((await queryPlans(small.auditPath, small.searchPath, asked)).join('\n'))
  }
  const opened = sizes.map(({ records, auditPath, searchPath }) => {
    return { records, search: new SearchClient({ log: auditPath, searchPath }) }
  })
  const results = []
  const goals = []
  for (const one of cases) {
    const measured = await measure(one, opened)
    const rows = measured.map((found, size) => row(one.name, opened[size]?.records ?? 0, found))
    results.push(...rows)
    if (one.isWorst === true) continue
    const ratio = (rows[1]?.p50_ms ?? 0) / (rows[0]?.p50_ms ?? 1)
    goals.push({
      name: `${one.name}: p50 over ${larger} records in times that over ${smaller}`,
      unit: 'ratio',
      goal: 2,
      measured: Number(ratio.toFixed(2)),
      met: ratio <= 2,
    })
  }
  for (const { search } of opened) await search.close()
  const report = {
    benchmark: 'search',
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version },
    indexed_per_second: indexedPerSecond,
    bytes: { log: statSync(large.auditPath).size, index: statSync(large.searchPath).size },
    results,
    goals,
  }
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
