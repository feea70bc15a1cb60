import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { describe, expect, it } from 'vitest'
import { termsOf } from '../../audit/index.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { readableDialect } from '../readable-dialect.ts'
import { LogIndexer } from './index-log.ts'
import type { LogRow, LogRows } from './log-rows.ts'
import { blockWidth, PositionSet } from './position-set.ts'
import { SearchIndex } from './search-index.ts'
import { searchSchema, type SearchTables } from './search-tables.ts'

/** A log in memory, of records at any positions. */
class Rows implements LogRows {
  readonly rows: LogRow[] = []

  write(index: number, kind: string, call: string, record: JsonObject): void {
    const seq = this.rows.length
    this.rows.push({ seq, log: 1, index, id: `r${seq}`, timeMs: seq, kind, call, json: JSON.stringify(record) })
  }

  logOf = async () => 1
  written = async () => this.rows.length
  length = async () => this.rows.length
  has = async (seq: number, id: string) => this.rows[seq]?.id === id
  after = async (seq: number, limit: number) => this.rows.slice(seq + 1, seq + 1 + limit)
  at = async (_log: number, positions: readonly number[]) => this.rows.filter((row) => positions.includes(row.index))
  ofCalls = async (calls: readonly string[], kinds: readonly string[] | null) =>
    this.rows.filter((row) => calls.includes(row.call) && (kinds?.includes(row.kind) ?? true))
}

function indexing() {
  const connection = new DatabaseSync(':memory:')
  for (const script of searchSchema) connection.exec(script)
  const index = new SearchIndex(new Kysely<SearchTables>({ dialect: readableDialect(connection) }))
  const numbers = new Map<string, number>()
  const numberOf = (term: string): number => numbers.get(term) ?? numbers.set(term, numbers.size).size - 1
  const rows = new Rows()
  const indexer = new LogIndexer(rows, index, numberOf, { seq: -1, id: '' })
  /** Positions of what has a term. */
  const having = async (kind: string, record: JsonObject): Promise<number[]> => {
    const [term = ''] = [...termsOf([{ kind, record }])].filter((one) => one.startsWith('run:'))
    const found = await index.postings(1, numberOf(term), Number.MAX_SAFE_INTEGER, 100)
    return found.flatMap(({ block, docs }) =>
      [...PositionSet.decode(docs).descending()].map((offset) => block * blockWidth + offset),
    )
  }
  return { rows, indexer, having }
}

const later = { outcome: { status: 'ok' }, run: 'later' }

describe('following the log', () => {
  it('puts what a call left under its decision, however many records lie between', async () => {
    const { rows, indexer, having } = indexing()
    rows.write(0, 'decision', 'first', { run: 'a' })
    for (let call = 1; call <= 3_000; call++) rows.write(call, 'decision', `c${call}`, { run: 'b' })
    rows.write(3_001, 'outcome', 'first', later)
    while ((await indexer.step(700)) > 0);
    expect(await having('outcome', later)).toEqual([0])
    expect(indexer.seq).toBe(3_001)
  })

  it('forgets the texts that a record says are gone, and finds the rest as before', async () => {
    const { rows, indexer, having } = indexing()
    for (const block of [0, 1, 2]) rows.write(block * blockWidth, 'decision', `c${block}`, { run: 'a' })
    await indexer.step(10)
    expect(await having('decision', { run: 'a' })).toEqual([2 * blockWidth, blockWidth, 0])
    // Of bodies, which no search finds.
    rows.write(2 * blockWidth + 1, 'retention', 'x', { run: 'x', event: { what: 'bodies', below: 3 * blockWidth } })
    await indexer.step(10)
    expect(await having('decision', { run: 'a' })).toHaveLength(3)
    rows.write(2 * blockWidth + 2, 'retention', 'y', { run: 'y', event: { what: 'texts', below: 2 * blockWidth } })
    await indexer.step(10)
    expect(await having('decision', { run: 'a' })).toEqual([2 * blockWidth])
  })

  it('leaves out texts that are not kept and those that are no records, and goes on', async () => {
    const { rows, indexer, having } = indexing()
    rows.write(0, 'decision', 'a', { run: 'a' })
    rows.rows[0] = { ...(rows.rows[0] as LogRow), json: '' }
    rows.write(1, 'decision', 'b', { run: 'a' })
    rows.rows[1] = { ...(rows.rows[1] as LogRow), json: '{"run"' }
    rows.write(2, 'outcome', 'a', later)
    rows.write(3, 'decision', 'd', { run: 'a' })
    await indexer.step(10)
    expect(await having('decision', { run: 'a' })).toEqual([3])
    expect(await having('outcome', later)).toEqual([0])
  })
})
