import type { LogRow, LogRows } from '../../search/log-rows.ts'
import { inOrderOf } from './in-order-of.ts'
import type { ReadingSessions } from './reading-sessions.ts'
import { seqOfRow } from './record-selection.ts'

const columns = 'log, idx, id, time_ms, kind, call, json'

/** The log of a database, as far as it is in the order of all records. */
export class PostgresLogRows implements LogRows {
  readonly #sessions: ReadingSessions

  constructor(sessions: ReadingSessions) {
    this.#sessions = sessions
  }

  async logOf(namespace: string): Promise<number | null> {
    const [row] = await this.#sessions.read('SELECT log FROM logs WHERE namespace = $1', [namespace])
    return row === undefined ? null : Number(row['log'])
  }

  async written(): Promise<number> {
    const [row] = await this.#sessions.read('SELECT COALESCE(sum(next_pos), 0) AS records FROM writers')
    return Number(row?.['records'] ?? 0)
  }

  async length(log: number): Promise<number> {
    const [row] = await this.#sessions.read('SELECT next_idx FROM logs WHERE log = $1', [log])
    return Number(row?.['next_idx'] ?? 0)
  }

  async has(seq: number, id: string): Promise<boolean> {
    const [row] = await this.#sessions.read(inOrderOf('stretches', 'SELECT pos, id FROM records AS item'), [
      seq,
      seq,
      1,
    ])
    return row?.['id'] === id
  }

  async after(seq: number, limit: number): Promise<LogRow[]> {
    const items = `SELECT pos, ${columns} FROM records AS item`
    const range = [seq + 1, Number.MAX_SAFE_INTEGER, limit]
    return (await this.#sessions.read(inOrderOf('stretches', items), range)).map(rowOf)
  }

  async at(log: number, positions: readonly number[]): Promise<LogRow[]> {
    const sql = `SELECT ${seqOfRow} AS seq, ${columns} FROM records WHERE log = $1 AND idx = ANY ($2::bigint[])`
    return (await this.#sessions.read(sql, [log, [...positions]])).map(rowOf)
  }

  async ofCalls(calls: readonly string[], kinds: readonly string[] | null): Promise<LogRow[]> {
    const sql = `SELECT ${seqOfRow} AS seq, ${columns} FROM records
      WHERE call = ANY ($1::text[]) AND kind = ANY (COALESCE($2::text[], ARRAY[kind])) ORDER BY batch, pos`
    return (await this.#sessions.read(sql, [[...calls], kinds === null ? null : [...kinds]])).map(rowOf)
  }
}

function rowOf(row: Record<string, unknown>): LogRow {
  return {
    // What waits for its place comes after all that has one.
    seq: Number(row['seq'] ?? Number.MAX_SAFE_INTEGER),
    log: Number(row['log']),
    index: Number(row['idx']),
    id: String(row['id']),
    timeMs: Number(row['time_ms']),
    kind: String(row['kind']),
    call: String(row['call']),
    json: String(row['json']),
  }
}
