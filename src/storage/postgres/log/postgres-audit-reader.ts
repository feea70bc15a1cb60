import type { KeyObject } from 'node:crypto'
import {
  type AuditReader,
  type BodiesRow,
  type CheckpointRow,
  type HeadRow,
  type RecordRow,
  type TileRow,
  type TreeRow,
} from '../../../audit/index.ts'
import { headKey } from '../../data-keys.ts'
import { boxKey } from '../../box-key.ts'
import { OpenedDataKeys, type DataKeyRow } from '../../opened-data-keys.ts'
import { databaseUnavailable } from '../database-failure.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { int4Array, int8Array } from './binary-array.ts'
import { inOrderOf } from './in-order-of.ts'
import { logSchema } from './log-migrations.ts'
import { answeredInTime, openLogReadingSession, type LogSessionOptions } from './log-session.ts'
import { ReadingSessions } from './reading-sessions.ts'
import { seqOfRow } from './record-selection.ts'
import { readStoredHead, type StoredHead } from './stored-head.ts'
import type { Stretch } from './stretch.ts'
import { TilesAhead, tilesAtOnce } from './tiles-ahead.ts'

/** How a log on PostgreSQL is read without its servers. */
export interface PostgresAuditReaderOptions {
  readonly database: DatabaseOptions
  /** 32 bytes; `null`: bodies stay closed, and the heads are believed. */
  readonly masterKey: Uint8Array | null
  /** The log's verifier key line. `null`: the one in the database. */
  readonly publicKeyLine: string | null
  readonly silentMs?: number
}

/**
 * Reads the decision log of a database, beside running servers or without them; a replica will do, and a user that may do
 * nothing but read. Statements are short: a snapshot that is held for long would slow the writers down. Sessions that
 * break are opened anew.
 */
export function openPostgresAuditReader(options: PostgresAuditReaderOptions): AuditReader {
  return new PostgresAuditReader(options)
}

const recordsOfStretch = `
  SELECT writer, pos, namespace, idx, id, time_ms, kind, call, principal, encode(leaf_hash, 'hex') AS leaf, json
  FROM records AS item LEFT JOIN logs USING (log)`

const checkpointRows = `
  SELECT ordinal, namespace, period, checkpoints.size, time_ms, note
  FROM checkpoints LEFT JOIN trees USING (tree) LEFT JOIN logs USING (log)`

const boxesOfStretch = 'SELECT item.pos, item.data_key, item.sealed FROM bodies AS item'

const keysOfBoxes = `
  SELECT data_key, wrapped, subject, epoch, namespace
  FROM data_keys LEFT JOIN logs USING (log) WHERE data_key = ANY ($1::bigint[])`

/**
 * Log by log, because the index of rare kinds begins with the log. Only what the verifier comes to when it goes through
 * all records: one that was put beside their order excuses nothing.
 */
const removalRows = `
  SELECT * FROM (
    SELECT records.*, encode(records.leaf_hash, 'hex') AS leaf, namespace, ${seqOfRow} AS seq FROM logs CROSS JOIN LATERAL (
      SELECT * FROM records WHERE records.log = logs.log
        AND kind IN ('retention', 'erasure', 'legal-hold') AND kind NOT IN ('decision', 'outcome') OFFSET 0
    ) AS records
  ) AS found
  WHERE seq >= 0 AND writer = (SELECT writer FROM stretches WHERE first_seq <= seq ORDER BY first_seq DESC LIMIT 1)
    OR seq IS NULL AND EXISTS (
      SELECT FROM writers LEFT JOIN sequenced USING (writer)
      WHERE writers.writer = found.writer AND pos >= COALESCE(sequenced.next_pos, 0) AND pos < writers.next_pos)
  ORDER BY seq, batch, pos`

class PostgresAuditReader implements AuditReader {
  readonly #sessionOptions: LogSessionOptions
  readonly #sessions: ReadingSessions
  readonly #publicKeyLine: string | null
  readonly #headKey: KeyObject | null
  readonly #dataKeys: OpenedDataKeys | null
  readonly #tilesAhead = new TilesAhead()
  /** Where the records that wait are going to be: as it was when the head was read. */
  #waiting: readonly Stretch[] = []

  constructor({ database, masterKey, publicKeyLine, silentMs = 60_000 }: PostgresAuditReaderOptions) {
    this.#sessionOptions = { database, silentMs }
    this.#sessions = new ReadingSessions(this.#sessionOptions)
    this.#publicKeyLine = publicKeyLine
    this.#headKey = masterKey === null ? null : headKey(masterKey)
    this.#dataKeys = masterKey === null ? null : new OpenedDataKeys(masterKey)
  }

  async publicKeyLine(): Promise<string | null> {
    if (this.#publicKeyLine !== null) return this.#publicKeyLine
    if (!(await this.#isThere())) return null
    const [row] = await this.#rows("SELECT convert_from(value, 'UTF8') AS line FROM meta WHERE name = 'verifier_key'")
    return row === undefined ? null : String(row['line'])
  }

  async keyChanges(): Promise<string[]> {
    const rows = await this.#rows('SELECT statement FROM key_changes ORDER BY number')
    return rows.map((row) => String(row['statement']))
  }

  async head(): Promise<HeadRow | null> {
    if (!(await this.#isThere())) return null
    const stored = await this.#readHead()
    this.#waiting = stored?.waiting ?? []
    return stored?.head ?? null
  }

  async records(fromSeq: number, limit: number): Promise<RecordRow[]> {
    const rows = await this.#inOrder(recordsOfStretch, fromSeq, Number.MAX_SAFE_INTEGER, limit)
    return rows.map(recordOf)
  }

  async removals(): Promise<RecordRow[]> {
    return (await this.#rows(removalRows)).map(recordOf)
  }

  async checkpoints(fromOrdinal: number, limit: number): Promise<CheckpointRow[]> {
    const rows = await this.#rows(`${checkpointRows} WHERE ordinal >= $1 ORDER BY ordinal LIMIT $2`, [
      fromOrdinal,
      limit,
    ])
    return rows.map(checkpointOf)
  }

  async newestCheckpoint(
    namespace: string,
    period: string,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<CheckpointRow | null> {
    const [row] = await this.#rows(
      `${checkpointRows} WHERE namespace = $1 AND period = $2 AND checkpoints.size <= $3
       ORDER BY checkpoints.size DESC LIMIT 1`,
      [namespace, period, upTo],
    )
    return row === undefined ? null : checkpointOf(row)
  }

  async hashes(namespace: string, period: string, level: number, from: number, to: number): Promise<Uint8Array[]> {
    const tree = 'trees JOIN logs USING (log)'
    const ofTree = 'namespace = $1 AND period = $2'
    const sql =
      level === 0
        ? `SELECT leaf_hash AS hash FROM ${tree} JOIN records USING (log)
           WHERE ${ofTree} AND idx >= first_idx + $3::bigint AND idx < first_idx + least($4::bigint, size) ORDER BY idx LIMIT 256`
        : `SELECT root AS hash FROM ${tree} JOIN tiles USING (tree)
           WHERE ${ofTree} AND level = $5::int - 1 AND idx >= $3::bigint AND idx < $4::bigint ORDER BY idx LIMIT 256`
    const rows = await this.#rows(sql, [namespace, period, from, to, ...(level === 0 ? [] : [level])])
    return rows.map((row) => row['hash'] as Uint8Array)
  }

  async trees(): Promise<TreeRow[]> {
    const rows = await this.#rows(
      'SELECT tree, namespace, period, first_idx FROM trees LEFT JOIN logs USING (log) ORDER BY tree',
    )
    return rows.map((row) => ({
      ordinal: Number(row['tree']),
      namespace: row['namespace'] as string | null,
      period: String(row['period']),
      firstIndex: Number(row['first_idx']),
    }))
  }

  async tile(namespace: string, period: string, level: number, index: number): Promise<TileRow | null> {
    const ofLevel = { namespace, period, level }
    const ahead = this.#tilesAhead.take(ofLevel, index)
    if (ahead !== null) return ahead
    const rows = await this.#rows(
      `SELECT idx, hashes, root FROM tiles JOIN trees USING (tree) JOIN logs USING (log)
       WHERE namespace = $1 AND period = $2 AND level = $3 AND idx >= $4::bigint AND idx < $4::bigint + $5::bigint`,
      [namespace, period, level, index, tilesAtOnce],
    )
    const tiles = new Map(
      rows.map((row) => [Number(row['idx']), { hashes: row['hashes'] as Uint8Array, root: row['root'] as Uint8Array }]),
    )
    this.#tilesAhead.keep(ofLevel, tiles)
    return this.#tilesAhead.take(ofLevel, index)
  }

  async bodies(fromSeq: number, toSeq: number): Promise<BodiesRow[]> {
    const rows = await this.#inOrder(boxesOfStretch, fromSeq, toSeq, toSeq - fromSeq + 1)
    const boxes = rows.map((row) => ({
      seq: Number(row['seq']),
      dataKey: Number(row['data_key']),
      sealed: row['sealed'] as Uint8Array,
    }))
    const keys = await this.#keysOf(new Set(boxes.map(({ dataKey }) => dataKey)))
    return boxes.map((box) => ({ ...box, key: keys.get(box.dataKey) ?? 'erased' }))
  }

  /** Read after the boxes: a key that is erased in between is missing, and its record is there. */
  async #keysOf(dataKeys: ReadonlySet<number>): Promise<Map<number, BodiesRow['key']>> {
    if (dataKeys.size === 0) return new Map()
    const rows = (await this.#rows(keysOfBoxes, [int8Array([...dataKeys])])) as unknown as DataKeyRow[]
    return new Map(rows.map((row) => [row.data_key, boxKey(row, this.#dataKeys)]))
  }

  async close(): Promise<void> {
    await this.#sessions.close()
  }

  /** What is in the order of all records, and after it what waits for its place there. */
  async #inOrder(items: string, fromSeq: number, toSeq: number, limit: number): Promise<Record<string, unknown>[]> {
    const rows = await this.#rows(inOrderOf('stretches', items), [fromSeq, toSeq, limit])
    const left = limit - rows.length
    if (left === 0 || this.#waiting.length === 0) return rows
    const waiting = await this.#rows(inOrderOf(waitingStretches, items), [
      // Once the records that waited have their places, they are found there.
      Math.max(fromSeq, Number(rows.at(-1)?.['seq'] ?? -1) + 1),
      toSeq,
      left,
      int8Array(this.#waiting.map(({ firstSeq }) => firstSeq)),
      int4Array(this.#waiting.map(({ writer }) => writer)),
      int8Array(this.#waiting.map(({ firstPosition }) => firstPosition)),
      int8Array(this.#waiting.map(({ records }) => records)),
    ])
    return [...rows, ...waiting]
  }

  /** Whether there is a log in this database. A user that may not see it is told so by the statements that follow. */
  async #isThere(): Promise<boolean> {
    const [row] = await this.#rows('SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2', [
      logSchema,
      'meta',
    ])
    return row !== undefined
  }

  /** In a session of its own, because it takes several statements in one snapshot. */
  async #readHead(): Promise<StoredHead | null> {
    try {
      const session = await openLogReadingSession(this.#sessionOptions, 'audit')
      try {
        const { silentMs } = this.#sessionOptions
        return await answeredInTime(session, silentMs, () => readStoredHead(session, this.#headKey))
      } finally {
        session.destroy('the head was read')
      }
    } catch (cause) {
      throw databaseUnavailable(cause)
    }
  }

  #rows(sql: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return this.#sessions.read(sql, parameters)
  }
}

const waitingStretches =
  'unnest($4::bigint[], $5::int[], $6::bigint[], $7::bigint[]) AS s (first_seq, writer, first_pos, records)'

function recordOf(row: Record<string, unknown>): RecordRow {
  return {
    // What waits for its place comes after all that has one.
    seq: Number(row['seq'] ?? Number.MAX_SAFE_INTEGER),
    writer: Number(row['writer']),
    position: Number(row['pos']),
    namespace: row['namespace'] as string | null,
    index: Number(row['idx']),
    id: String(row['id']),
    timeMs: Number(row['time_ms']),
    kind: String(row['kind']),
    call: String(row['call']),
    principal: row['principal'] as string | null,
    leafHash: String(row['leaf']),
    json: String(row['json']),
  }
}

function checkpointOf(row: Record<string, unknown>): CheckpointRow {
  return {
    ordinal: Number(row['ordinal']),
    namespace: row['namespace'] as string | null,
    period: String(row['period'] ?? ''),
    size: Number(row['size']),
    timeMs: Number(row['time_ms']),
    note: String(row['note']),
  }
}
