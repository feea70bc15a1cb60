import { setTimeout as pause } from 'node:timers/promises'
import { Kysely } from 'kysely'
import type { SearchPage, SearchQuery } from '../../audit/index.ts'
import type { AuditTables } from '../audit-tables.ts'
import type { LogSessionOptions } from '../postgres/log/log-session.ts'
import { PostgresLogRows } from '../postgres/log/postgres-log-rows.ts'
import { ReadingSessions } from '../postgres/log/reading-sessions.ts'
import { readableDialect } from '../readable-dialect.ts'
import { openReadable } from '../sqlite-database.ts'
import { isDamage } from '../sqlite-failure.ts'
import { LogIndexer } from './index-log.ts'
import { SqliteLogRows, type LogRows } from './log-rows.ts'
import { openSearchIndex, removeSearchIndex, type OpenSearchIndex } from './open-search-index.ts'
import { indexState } from './index-state.ts'
import { searchLog } from './search-log.ts'
import type { SearchSettings } from './search-protocol.ts'
import { termNumbers } from './term-numbers.ts'

/** How long a search waits until the index has what was written before it, in milliseconds. */
const patienceMs = 250
/** How long where records have no place in the order of all yet: they get one within a second. */
const orderMs = 2_000
/** How long until the next look for one, in milliseconds. */
const pauseMs = 50
/** Records that are taken at once: a search waits for as many. */
const recordsAtOnce = 500

/** What is open. */
interface OpenParts {
  readonly rows: LogRows
  readonly opened: OpenSearchIndex
  readonly indexer: LogIndexer
  readonly numberOf: (term: string) => number
  close(): Promise<void>
}

/** The index and the log that it follows, for the thread that keeps them. Everything in it happens one after the other. */
export class FollowedIndex {
  readonly #settings: SearchSettings
  #parts: OpenParts | null = null
  #turn: Promise<unknown> = Promise.resolve()

  constructor(settings: SearchSettings) {
    this.#settings = settings
  }

  /** Takes some records. True where there are probably more. */
  advance(): Promise<boolean> {
    return this.#inTurn(async ({ indexer }) => (await indexer.step(recordsAtOnce)) === recordsAtOnce)
  }

  search(query: SearchQuery): Promise<SearchPage> {
    return this.#inTurn(async ({ rows, opened, indexer, numberOf }) => {
      await catchUp(rows, indexer)
      const page = await searchLog(query, { rows, index: opened.index, numberOf })
      return { ...page, index: await indexState(rows, query.namespace, indexer.seq) }
    })
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => undefined)
    await this.#parts?.close()
    this.#parts = null
  }

  /** Runs `work` after what runs already. Where the index turns out to be damaged, it is made anew and the work tried again. */
  #inTurn<Result>(work: (parts: OpenParts) => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(async () => {
      try {
        return await work(await this.#open())
      } catch (error) {
        const { searchPath } = this.#settings
        await this.#parts?.close()
        this.#parts = null
        if (!isDamage(error)) throw error
        removeSearchIndex(searchPath)
        return work(await this.#open())
      }
    })
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  async #open(): Promise<OpenParts> {
    this.#parts ??= await openParts(this.#settings)
    return this.#parts
  }
}

/** Takes what was written until now, as far as that is to be had soon. */
async function catchUp(rows: LogRows, indexer: LogIndexer): Promise<void> {
  const target = await rows.written()
  const began = performance.now()
  while (indexer.seq + 1 < target) {
    const taken = await indexer.step(recordsAtOnce)
    if (performance.now() - began > (taken === 0 ? orderMs : patienceMs)) return
    if (taken === 0) await pause(pauseMs)
  }
}

async function openParts({ log, searchPath }: SearchSettings): Promise<OpenParts> {
  const source = typeof log === 'string' ? openSqliteRows(log) : openPostgresRows(log)
  try {
    const { rows } = source
    const opened = await openSearchIndex(searchPath, rows)
    const numberOf = termNumbers(opened.seed)
    const indexer = new LogIndexer(rows, opened.index, numberOf, opened.cursor)
    return {
      rows,
      opened,
      indexer,
      numberOf,
      async close() {
        await opened.close()
        await source.close()
      },
    }
  } catch (error) {
    await source.close()
    throw error
  }
}

function openSqliteRows(auditPath: string): { readonly rows: LogRows; close(): Promise<void> } {
  const database = new Kysely<AuditTables>({ dialect: readableDialect(openReadable(auditPath)) })
  return { rows: new SqliteLogRows(database), close: () => database.destroy() }
}

function openPostgresRows(options: LogSessionOptions): { readonly rows: LogRows; close(): Promise<void> } {
  const sessions = new ReadingSessions(options)
  return { rows: new PostgresLogRows(sessions), close: () => sessions.close() }
}
