import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { BodiesRow, RecordRow, TileRow } from '../audit/index.ts'
import { boxKey } from './box-key.ts'
import type { DataKeyRow, OpenedDataKeys } from './opened-data-keys.ts'

/**
 * Records in the order of writing, with boxes and tiles, for who reads all of them. Statements are prepared once and give rows as
 * arrays: an object for each row, and a blob where a text would do, cost as much as reading it. @throws SQLite's own errors
 */
export class LogPages {
  readonly #database: DatabaseSync
  readonly #keys: OpenedDataKeys | null
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, keys: OpenedDataKeys | null) {
    this.#database = database
    this.#keys = keys
  }

  /** Rows from a sequence number on. */
  records(fromSeq: number, limit: number): RecordRow[] {
    return this.#all(recordsOfPage, fromSeq, limit).map(recordRow)
  }

  /** Rows of kind `retention`, `erasure` and `legal-hold`. */
  removals(): RecordRow[] {
    return this.#all(removalRecords).map(recordRow)
  }

  /** Boxes of the records from the first to the second sequence number, both included. */
  boxes(fromSeq: number, toSeq: number): BodiesRow[] {
    const rows = this.#all(boxesOfPage, fromSeq, toSeq)
    // Read after the boxes: a key that is erased in between is missing, and its record is there.
    const keys = new Map<number, BodiesRow['key']>()
    for (const row of rows) {
      const dataKey = Number(row[1])
      if (!keys.has(dataKey)) keys.set(dataKey, boxKey(this.#keyRow(dataKey), this.#keys))
    }
    return rows.map((row) => {
      const dataKey = Number(row[1])
      return { seq: Number(row[0]), dataKey, sealed: row[2] as Uint8Array, key: keys.get(dataKey) ?? 'erased' }
    })
  }

  /** A full tile of a tree. */
  tile(namespace: string, period: string, level: number, index: number): TileRow | null {
    const [row] = this.#all(tileOfTree, namespace, period, level, index)
    return row === undefined ? null : { hashes: row[0] as Uint8Array, root: row[1] as Uint8Array }
  }

  #keyRow(dataKey: number): DataKeyRow | undefined {
    const [row] = this.#all(keyOfBox, dataKey)
    if (row === undefined) return undefined
    const [wrapped, subject, epoch, namespace] = row
    return { data_key: dataKey, wrapped, subject, epoch, namespace } as DataKeyRow
  }

  #all(sql: string, ...parameters: SQLInputValue[]): SQLOutputValue[][] {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      statement.setReturnArrays(true)
      this.#prepared.set(sql, statement)
    }
    return statement.all(...parameters) as unknown as SQLOutputValue[][]
  }
}

const columns = 'seq, namespace, idx, id, time_ms, kind, call, principal, lower(hex(leaf_hash)), json'

const recordsOfPage = `
  SELECT ${columns} FROM records LEFT JOIN logs USING (log) WHERE seq >= ? ORDER BY seq LIMIT ?`

/**
 * Log by log, because the index of rare kinds begins with the log. What lies before the first record is never verified.
 */
const removalRecords = `
  SELECT ${columns} FROM logs CROSS JOIN records USING (log)
  WHERE kind IN ('retention', 'erasure', 'legal-hold') AND kind NOT IN ('decision', 'outcome') AND seq >= 0 ORDER BY seq`

const boxesOfPage = 'SELECT seq, data_key, sealed FROM bodies WHERE seq >= ? AND seq <= ? ORDER BY seq'

const tileOfTree = `
  SELECT hashes, root FROM tiles JOIN trees USING (tree) JOIN logs USING (log)
  WHERE namespace = ? AND period = ? AND level = ? AND idx = ?`

const keyOfBox =
  'SELECT wrapped, subject, epoch, namespace FROM data_keys LEFT JOIN logs USING (log) WHERE data_key = ?'

function recordRow(row: readonly SQLOutputValue[]): RecordRow {
  const seq = Number(row[0])
  return {
    seq,
    // There is one writer, and its order is the order of all records.
    writer: 0,
    position: seq,
    namespace: row[1] as string | null,
    index: Number(row[2]),
    id: String(row[3]),
    timeMs: Number(row[4]),
    kind: String(row[5]),
    call: String(row[6]),
    principal: row[7] as string | null,
    leafHash: String(row[8]),
    json: String(row[9]),
  }
}
