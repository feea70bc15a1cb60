import { existsSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import {
  type AuditReader,
  type BodiesRow,
  type CheckpointRow,
  type HeadRow,
  type RecordRow,
  type TileRow,
  type TreeRow,
} from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { headMacFits } from './audit-head.ts'
import { dataDirectoryPaths } from './data-directory.ts'
import { headKey } from './data-keys.ts'
import { LogPages } from './log-pages.ts'
import { OpenedDataKeys } from './opened-data-keys.ts'
import type { DatabaseOptions } from './postgres/database-options.ts'
import { openPostgresAuditReader } from './postgres/log/postgres-audit-reader.ts'
import { openReadable } from './sqlite-database.ts'

/** How a log is read without its server. */
export interface AuditReaderOptions {
  readonly dataDirectory: string
  /**
   * 32 bytes. Without it, `master.key` in the data directory if it can be read; without either, or where it is `null`,
   * bodies stay closed.
   */
  readonly masterKey?: Uint8Array | null
  /** The database that has the log, where it is not in the data directory. */
  readonly database?: DatabaseOptions
}

/**
 * Opens the log of a data directory or of a database for reading, beside running servers or without. Takes no lock.
 * Without a server the directory must be writable, because SQLite makes a shared-memory file beside the database;
 * for a copy on read-only media, close the server first and copy all files.
 * @throws McpworksError `storage_unavailable`
 */
export function openAuditReader(options: AuditReaderOptions): AuditReader {
  const paths = dataDirectoryPaths(options.dataDirectory)
  const { database } = options
  if (database !== undefined) {
    const masterKey = masterKeyOf(options, paths.masterKey)
    return openPostgresAuditReader({ database, masterKey, publicKeyLine: readPublicKeyLine(paths.publicKey) })
  }
  if (!existsSync(paths.audit)) {
    throw new McpworksError('storage_unavailable', { message: 'There is no decision log in this directory.' })
  }
  const masterKey = masterKeyOf(options, paths.masterKey)
  try {
    return new SqliteAuditReader(openReadable(paths.audit), masterKey, paths.publicKey)
  } catch (cause) {
    throw unreadable(cause)
  }
}

class SqliteAuditReader implements AuditReader {
  readonly #database: DatabaseSync
  readonly #masterKey: Uint8Array | null
  readonly #publicKeyPath: string
  readonly #pages: LogPages

  constructor(database: DatabaseSync, masterKey: Uint8Array | null, publicKeyPath: string) {
    this.#database = database
    this.#masterKey = masterKey
    this.#pages = new LogPages(database, masterKey === null ? null : new OpenedDataKeys(masterKey))
    this.#publicKeyPath = publicKeyPath
  }

  async publicKeyLine(): Promise<string | null> {
    return existsSync(this.#publicKeyPath) ? readFileSync(this.#publicKeyPath, 'utf8').trim() : null
  }

  async head(): Promise<HeadRow | null> {
    return this.#reading(() => {
      if (this.#database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'head'").get() === undefined) return null
      // One statement is one snapshot: what is counted cannot have been written after the head was read.
      const row = this.#database
        .prepare(
          `SELECT epoch, next_seq, last_hash, checkpoints, open_from, mac, (SELECT max(seq) FROM records) AS newest_seq,
             (SELECT max(ordinal) FROM checkpoints) AS newest_checkpoint, (SELECT max(tree) FROM trees) AS newest_tree,
             (SELECT count(*) FROM key_changes) AS key_changes, (SELECT count(*) FROM records WHERE seq < 0) AS strays,
             (SELECT value FROM meta WHERE name = 'log_id') AS log_id FROM (SELECT 1) LEFT JOIN head ON TRUE`,
        )
        .get()
      if (row === undefined || isUnwritten(row)) return null
      const head = {
        epoch: Number(row['epoch']),
        nextSeq: Number(row['next_seq']),
        lastHash: row['last_hash'] as Uint8Array | null,
        checkpoints: Number(row['checkpoints']),
      }
      const mac = this.#headMac(
        { ...head, openFrom: Number(row['open_from']) },
        row['log_id'] as Uint8Array | null,
        row['mac'] as Uint8Array | null,
      )
      const { epoch, nextSeq, lastHash, checkpoints } = head
      const newestSeq = row['newest_seq'] === null ? null : Number(row['newest_seq'])
      return {
        nextSeq,
        waiting: 0,
        checkpoints,
        mac,
        // There is one writer, and its order is the order of all records.
        writers: [{ writer: 0, epoch, nextPosition: nextSeq, lastHash, mac, newestPosition: newestSeq }],
        newestSeq,
        newestCheckpoint: row['newest_checkpoint'] === null ? null : Number(row['newest_checkpoint']),
        newestTree: row['newest_tree'] === null ? null : Number(row['newest_tree']),
        strays: Number(row['strays']),
        keyChanges: Number(row['key_changes']),
      }
    })
  }

  async records(fromSeq: number, limit: number): Promise<RecordRow[]> {
    return this.#reading(() => this.#pages.records(fromSeq, limit))
  }

  async removals(): Promise<RecordRow[]> {
    return this.#reading(() => this.#pages.removals())
  }

  async checkpoints(fromOrdinal: number, limit: number): Promise<CheckpointRow[]> {
    const rows = this.#reading(() =>
      this.#database
        .prepare(
          `SELECT ordinal, namespace, period, size, time_ms, note
           FROM checkpoints LEFT JOIN trees USING (tree) LEFT JOIN logs USING (log)
           WHERE ordinal >= ? ORDER BY ordinal LIMIT ?`,
        )
        .all(fromOrdinal, limit),
    )
    return rows.map(checkpointOf)
  }

  async newestCheckpoint(
    namespace: string,
    period: string,
    upTo = Number.MAX_SAFE_INTEGER,
  ): Promise<CheckpointRow | null> {
    const row = this.#reading(() =>
      this.#database
        .prepare(
          `SELECT ordinal, namespace, period, size, time_ms, note
           FROM checkpoints JOIN trees USING (tree) JOIN logs USING (log)
           WHERE namespace = ? AND period = ? AND size <= ? ORDER BY size DESC LIMIT 1`,
        )
        .get(namespace, period, upTo),
    )
    return row === undefined ? null : checkpointOf(row)
  }

  async hashes(namespace: string, period: string, level: number, from: number, to: number): Promise<Uint8Array[]> {
    const rows = this.#reading(() =>
      level === 0
        ? this.#database
            .prepare(
              // A tree ends where the next one begins.
              `SELECT leaf_hash AS hash FROM trees JOIN logs USING (log) JOIN records USING (log)
               WHERE namespace = ? AND period = ? AND idx >= first_idx + ? AND idx < first_idx + ? AND idx < coalesce(
                 (SELECT min(next.first_idx) FROM trees AS next WHERE next.log = trees.log AND next.first_idx > trees.first_idx),
                 9223372036854775807)
               ORDER BY idx LIMIT 256`,
            )
            .all(namespace, period, from, to)
        : this.#database
            .prepare(
              `SELECT root AS hash FROM tiles JOIN trees USING (tree) JOIN logs USING (log)
               WHERE namespace = ? AND period = ? AND level = ? AND idx >= ? AND idx < ? ORDER BY idx LIMIT 256`,
            )
            .all(namespace, period, level - 1, from, to),
    )
    return rows.map((row) => row['hash'] as Uint8Array)
  }

  async keyChanges(): Promise<string[]> {
    const rows = this.#reading(() => this.#database.prepare('SELECT statement FROM key_changes ORDER BY number').all())
    return rows.map((row) => String(row['statement']))
  }

  async trees(): Promise<TreeRow[]> {
    const rows = this.#reading(() =>
      this.#database
        .prepare('SELECT tree, namespace, period, first_idx FROM trees LEFT JOIN logs USING (log) ORDER BY tree')
        .all(),
    )
    return rows.map((row) => ({
      ordinal: Number(row['tree']),
      namespace: row['namespace'] as string | null,
      period: String(row['period']),
      firstIndex: Number(row['first_idx']),
    }))
  }

  async tile(namespace: string, period: string, level: number, index: number): Promise<TileRow | null> {
    return this.#reading(() => this.#pages.tile(namespace, period, level, index))
  }

  async bodies(fromSeq: number, toSeq: number): Promise<BodiesRow[]> {
    return this.#reading(() => this.#pages.boxes(fromSeq, toSeq))
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  /** `mac` is `null` where the head is not there and what it speaks of is. */
  #headMac(head: Parameters<typeof headMacFits>[2], logId: Uint8Array | null, mac: Uint8Array | null): HeadRow['mac'] {
    if (mac === null) return 'bad'
    if (this.#masterKey === null) return 'unchecked'
    const writer = logId === null ? '' : Buffer.from(logId).toString('utf8')
    return headMacFits(headKey(this.#masterKey), writer, head, mac) ? 'good' : 'bad'
  }

  #reading<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (cause) {
      throw unreadable(cause)
    }
  }
}

/** Whether there is no head, and nothing that it would speak of. */
function isUnwritten(row: Record<string, unknown>): boolean {
  return ['epoch', 'newest_seq', 'newest_checkpoint', 'newest_tree'].every((name) => row[name] === null)
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

function readPublicKeyLine(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null
}

function masterKeyOf({ masterKey }: AuditReaderOptions, path: string): Uint8Array | null {
  return masterKey === undefined ? readMasterKey(path) : masterKey
}

function readMasterKey(path: string): Uint8Array | null {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64')
    return key.length === 32 ? key : null
  } catch {
    // An auditor without the key can still check everything but the bodies' contents and the head's authenticity.
    return null
  }
}

function unreadable(cause: unknown): McpworksError {
  return new McpworksError('storage_unavailable', {
    message: 'The decision log cannot be read. It is damaged, or this user may not read it.',
    detail: cause instanceof Error ? cause.message : 'unknown',
    cause,
  })
}
