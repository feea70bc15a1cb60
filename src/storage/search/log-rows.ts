import type { Kysely } from 'kysely'
import type { StoredRecord } from '../../audit/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import type { AuditTables } from '../audit-tables.ts'

/** A record's row as the index needs it. */
export interface LogRow {
  readonly seq: number
  readonly log: number
  readonly index: number
  readonly id: string
  readonly timeMs: number
  readonly kind: string
  readonly call: string
  /** RFC 8785 text; empty where it is no longer kept. */
  readonly json: string
}

const columns = ['seq', 'log', 'idx', 'id', 'time_ms', 'kind', 'call', 'json'] as const

/** Reads the log for the index and for what is found. @throws McpworksError `storage_unavailable` where it cannot be read */
export interface LogRows {
  /** The log of a namespace, `null` where it has none. */
  logOf(namespace: string): Promise<number | null>
  /** How many records are durable. Those that have no place in the order of all yet are counted and not read. */
  written(): Promise<number>
  /** How many records one log has. */
  length(log: number): Promise<number>
  /** Whether the record at a sequence number has the id. */
  has(seq: number, id: string): Promise<boolean>
  /** Records after a sequence number, in their order. */
  after(seq: number, limit: number): Promise<LogRow[]>
  /** Records at positions of one log, in no order. */
  at(log: number, positions: readonly number[]): Promise<LogRow[]>
  /** Records of calls in the order of writing, of these kinds. */
  ofCalls(calls: readonly string[], kinds: readonly string[] | null): Promise<LogRow[]>
}

/** The log of a data directory. */
export class SqliteLogRows implements LogRows {
  readonly #database: Kysely<Pick<AuditTables, 'logs' | 'records'>>

  constructor(database: Kysely<Pick<AuditTables, 'logs' | 'records'>>) {
    this.#database = database
  }

  async logOf(namespace: string): Promise<number | null> {
    const row = await reading(() =>
      this.#database.selectFrom('logs').select('log').where('namespace', '=', namespace).executeTakeFirst(),
    )
    return row === undefined ? null : row.log
  }

  async written(): Promise<number> {
    const row = await reading(() =>
      this.#database
        .selectFrom('records')
        .select(({ fn }) => fn.max('seq').as('seq'))
        .executeTakeFirst(),
    )
    return (row?.seq ?? -1) + 1
  }

  async length(log: number): Promise<number> {
    const row = await reading(() =>
      this.#database
        .selectFrom('records')
        .select('idx')
        .where('log', '=', log)
        .orderBy('idx', 'desc')
        .limit(1)
        .executeTakeFirst(),
    )
    return (row?.idx ?? -1) + 1
  }

  async has(seq: number, id: string): Promise<boolean> {
    const row = await reading(() =>
      this.#database.selectFrom('records').select('id').where('seq', '=', seq).executeTakeFirst(),
    )
    return row?.id === id
  }

  async after(seq: number, limit: number): Promise<LogRow[]> {
    const rows = await reading(() =>
      this.#database.selectFrom('records').select(columns).where('seq', '>', seq).orderBy('seq').limit(limit).execute(),
    )
    return rows.map(rowOf)
  }

  async at(log: number, positions: readonly number[]): Promise<LogRow[]> {
    if (positions.length === 0) return []
    const rows = await reading(() =>
      this.#database
        .selectFrom('records')
        .select(columns)
        .where('log', '=', log)
        .where('idx', 'in', [...positions])
        .execute(),
    )
    return rows.map(rowOf)
  }

  async ofCalls(calls: readonly string[], kinds: readonly string[] | null): Promise<LogRow[]> {
    if (calls.length === 0) return []
    const select = this.#database
      .selectFrom('records')
      .select(columns)
      .where('call', 'in', [...calls])
    const rows = await reading(() => (kinds === null ? select : select.where('kind', 'in', [...kinds])).execute())
    return rows.map(rowOf).toSorted((one, other) => one.seq - other.seq)
  }
}

/** A row as the record that it is. */
export function storedRecord(row: LogRow, namespace: string): StoredRecord {
  const { index, id, timeMs, kind, call, json } = row
  return { index, id, timeMs, namespace, kind: kind as StoredRecord['kind'], call, json }
}

function rowOf(row: {
  seq: number
  log: number
  idx: number
  id: string
  time_ms: number
  kind: string
  call: string
  json: string
}): LogRow {
  return {
    seq: row.seq,
    log: row.log,
    index: row.idx,
    id: row.id,
    timeMs: row.time_ms,
    kind: row.kind,
    call: row.call,
    json: row.json,
  }
}

/** Not an error of the index: making that anew would not help. */
async function reading<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    throw new McpworksError('storage_unavailable', { detail: 'the log cannot be read', cause })
  }
}
