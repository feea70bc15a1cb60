import {
  askedTerms,
  parseObject,
  searchHit,
  termsOf,
  type ReadRecord,
  type SearchHit,
  type SearchPage,
  type SearchQuery,
} from '../../audit/index.ts'
import { findPositions, type FoundPositions, type SearchBudget } from './find-positions.ts'
import { laterKinds } from './index-log.ts'
import { storedRecord, type LogRow, type LogRows } from './log-rows.ts'
import type { SearchIndex } from './search-index.ts'
import type { PositionRange } from './time-spans.ts'

/** Blocks of terms that one page reads at most: two frequent terms over ten million records. */
const mostRows = 8_000
/** Records that one page reads from the log to find that they do not fit. */
const mostLooks = 2_000
/** Positions that are read from the log at once. */
const leastAtOnce = 4
const mostAtOnce = 50

/** What a search works on. */
export interface SearchParts {
  readonly rows: LogRows
  readonly index: SearchIndex
  readonly numberOf: (term: string) => number
}

/** One page of what fits, newest first, each read from the log. */
export async function searchLog(query: SearchQuery, parts: SearchParts): Promise<Omit<SearchPage, 'index'>> {
  const none = { hits: [], next: null, stopped: false }
  const log = await parts.rows.logOf(query.namespace)
  if (log === null) return none
  const range = await rangeOf(query, log, parts)
  if (range === null) return none
  const hits: SearchHit[] = []
  let looks = 0
  for await (const positions of inBatches(sourceOf(query, log, range, parts), () => query.limit - hits.length)) {
    if (typeof positions === 'number') return { hits, next: positions, stopped: true }
    for (const [position, hit] of await look(positions, query, log, parts)) {
      looks += 1
      if (hit !== null) hits.push(hit)
      if (hits.length >= query.limit) return { hits, next: position, stopped: false }
      if (looks >= mostLooks) return { hits, next: position, stopped: true }
    }
  }
  return { hits, next: null, stopped: false }
}

/**
 * Positions in batches of the size that a page still takes, because most of what the index names fits; a number is where
 * looking stopped.
 */
async function* inBatches(
  source: AsyncIterable<FoundPositions>,
  wanted: () => number,
): AsyncGenerator<readonly number[] | number> {
  let waiting: number[] = []
  for await (const { positions, stoppedAt } of source) {
    waiting.push(...positions)
    while (waiting.length >= sizeOf(wanted())) {
      const size = sizeOf(wanted())
      yield waiting.slice(0, size)
      waiting = waiting.slice(size)
    }
    if (stoppedAt === null) continue
    if (waiting.length > 0) yield waiting
    yield stoppedAt
    return
  }
  if (waiting.length > 0) yield waiting
}

function sizeOf(wanted: number): number {
  return Math.max(leastAtOnce, Math.min(mostAtOnce, wanted))
}

async function rangeOf(
  { before, fromMs, toMs }: SearchQuery,
  log: number,
  { index }: SearchParts,
): Promise<PositionRange | null> {
  const range = await index.times.range(log, fromMs, toMs)
  if (range === null) return null
  const newest = (await index.lastBlockEnd(log)) ?? -1
  const last = Math.min(range.last, newest, (before ?? Number.MAX_SAFE_INTEGER) - 1)
  return last < range.first ? null : { first: range.first, last }
}

/** Positions that may fit. Those of a call are in the log itself. */
async function* sourceOf(
  query: SearchQuery,
  log: number,
  range: PositionRange,
  { rows, index, numberOf }: SearchParts,
): AsyncGenerator<FoundPositions> {
  if (query.call === null) {
    const budget: SearchBudget = { rowsLeft: mostRows }
    yield* findPositions(index, log, askedTerms(query).map(numberOf), range, budget)
    return
  }
  const found = (await rows.ofCalls([query.call], null)).filter((row) => row.log === log)
  const begins = found.filter((row) => !laterKinds.includes(row.kind) || !found.some(({ kind }) => kind === 'decision'))
  const positions = begins.map((row) => row.index).filter((at) => at >= range.first && at <= range.last)
  yield { positions: positions.toSorted((one, other) => other - one), stoppedAt: null }
}

/** Reads positions from the log, highest first, and says of each what it is a hit with; `null` where it does not fit. */
async function look(
  positions: readonly number[],
  query: SearchQuery,
  log: number,
  { rows }: SearchParts,
): Promise<[number, SearchHit | null][]> {
  const first = new Map((await rows.at(log, positions)).map((row) => [row.index, row]))
  const decided = [...first.values()].filter(({ kind }) => kind === 'decision')
  const later = Map.groupBy(
    (
      await rows.ofCalls(
        decided.map(({ call }) => call),
        laterKinds,
      )
    ).filter((row) => row.log === log),
    ({ call }) => call,
  )
  return positions.map((position) => {
    const row = first.get(position)
    return [position, row === undefined ? null : hitOf([row, ...(later.get(row.call) ?? [])], query)]
  })
}

/** What is in the log at a position, if it is what was asked for. */
function hitOf([row, ...later]: readonly [LogRow, ...LogRow[]], query: SearchQuery): SearchHit | null {
  if ((query.fromMs !== null && row.timeMs < query.fromMs) || (query.toMs !== null && row.timeMs > query.toMs))
    return null
  const first = readRecord(row, query.namespace)
  if (first === null) return null
  const records: [ReadRecord, ...ReadRecord[]] = [first]
  if (row.kind === 'decision')
    for (const one of later) {
      const read = readRecord(one, query.namespace)
      if (read !== null) records.push(read)
    }
  const terms = termsOf(records.map(({ stored: { kind }, record }) => ({ kind, record })))
  return askedTerms(query).every((term) => terms.has(term)) ? searchHit(records) : null
}

function readRecord(row: LogRow, namespace: string): ReadRecord | null {
  const record = row.json === '' ? null : parseObject(row.json)
  return record === null ? null : { stored: storedRecord(row, namespace), record }
}
