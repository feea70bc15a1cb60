import type { Kysely, Transaction } from 'kysely'
import type { SearchTables } from './search-tables.ts'

/** Positions that one span covers. */
const spanWidth = 64

/** A document with its time. */
interface TimedDocument {
  readonly log: number
  readonly position: number
  readonly timeMs: number | null
}

/** Which positions can have a time: from `first` to `last`, both included; `null` where none can. */
export interface PositionRange {
  readonly first: number
  readonly last: number
}

/**
 * Finds the positions of a stretch of time. A clock that is stepped back makes what it answers wider and never wrong:
 * at least every position with a time in it is within the range.
 */
export class TimeSpans {
  readonly #database: Kysely<SearchTables>
  readonly #highest = new Map<number, number>()

  constructor(database: Kysely<SearchTables>) {
    this.#database = database
  }

  /** Forgets what it holds in memory, after a transaction that failed. */
  forget(): void {
    this.#highest.clear()
  }

  /** Adds the times of documents. Those of one log must come in the order of their positions. */
  async add(transaction: Transaction<SearchTables>, documents: readonly TimedDocument[]): Promise<void> {
    for (const [log, spans] of bySpan(documents)) {
      for (const [span, { low, high }] of spans) {
        const known = await find(transaction, log, span)
        const before = this.#highest.get(log) ?? (await highestOf(transaction, log))
        const highMs = Math.max(high, before)
        const lowMs = Math.min(low, known ?? low)
        await transaction
          .insertInto('search_spans')
          .values({ log, span, low_ms: lowMs, high_ms: highMs })
          .onConflict((conflict) =>
            conflict
              .columns(['log', 'span'])
              .doUpdateSet((row) => ({ low_ms: row.ref('excluded.low_ms'), high_ms: row.ref('excluded.high_ms') })),
          )
          .execute()
        this.#highest.set(log, highMs)
        // The clock was stepped back: whoever looks for this time must not stop before it.
        if (lowMs < before)
          await transaction
            .updateTable('search_spans')
            .set({ low_ms: lowMs })
            .where('log', '=', log)
            .where('low_ms', '>', lowMs)
            .where('span', '<', span)
            .execute()
      }
    }
  }

  /** Forgets the times of what lies wholly below a position. */
  async forgetBelow(log: number, position: number): Promise<void> {
    await this.#database
      .deleteFrom('search_spans')
      .where('log', '=', log)
      .where('span', '<', Math.floor(position / spanWidth))
      .execute()
  }

  /** Where to look for what was decided from `fromMs` to `toMs`, both included. */
  async range(log: number, fromMs: number | null, toMs: number | null): Promise<PositionRange | null> {
    const first = fromMs === null ? 0 : await this.#firstSpan(log, fromMs)
    const last = toMs === null ? Number.MAX_SAFE_INTEGER : await this.#lastSpan(log, toMs)
    if (first === null || last === null || last < first) return null
    return {
      first: first * spanWidth,
      last: toMs === null ? Number.MAX_SAFE_INTEGER : last * spanWidth + spanWidth - 1,
    }
  }

  async #firstSpan(log: number, fromMs: number): Promise<number | null> {
    const row = await this.#database
      .selectFrom('search_spans')
      .select('span')
      .where('log', '=', log)
      .where('high_ms', '>=', fromMs)
      .orderBy('high_ms')
      .orderBy('span')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? null : row.span
  }

  async #lastSpan(log: number, toMs: number): Promise<number | null> {
    const row = await this.#database
      .selectFrom('search_spans')
      .select('span')
      .where('log', '=', log)
      .where('low_ms', '<=', toMs)
      .orderBy('low_ms', 'desc')
      .orderBy('span', 'desc')
      .limit(1)
      .executeTakeFirst()
    return row === undefined ? null : row.span
  }
}

async function find(database: Kysely<SearchTables>, log: number, span: number): Promise<number | null> {
  const row = await database
    .selectFrom('search_spans')
    .select('low_ms')
    .where('log', '=', log)
    .where('span', '=', span)
    .executeTakeFirst()
  return row === undefined ? null : row.low_ms
}

async function highestOf(database: Kysely<SearchTables>, log: number): Promise<number> {
  const row = await database
    .selectFrom('search_spans')
    .select('high_ms')
    .where('log', '=', log)
    .orderBy('high_ms', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? Number.MIN_SAFE_INTEGER : row.high_ms
}

function bySpan(documents: readonly TimedDocument[]): Map<number, Map<number, { low: number; high: number }>> {
  const logs = new Map<number, Map<number, { low: number; high: number }>>()
  for (const { log, position, timeMs } of documents) {
    if (timeMs === null) continue
    const spans = logs.get(log) ?? new Map<number, { low: number; high: number }>()
    logs.set(log, spans)
    const span = Math.floor(position / spanWidth)
    const known = spans.get(span)
    spans.set(span, {
      low: Math.min(timeMs, known?.low ?? timeMs),
      high: Math.max(timeMs, known?.high ?? timeMs),
    })
  }
  return logs
}
