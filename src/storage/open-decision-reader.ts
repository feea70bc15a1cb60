import type { KeyObject } from 'node:crypto'
import { openBodies } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { dataDirectoryPaths, loadMasterKey } from './data-directory.ts'
import { OpenedDataKeys, type DataKeyRow } from './opened-data-keys.ts'
import type { DatabaseOptions } from './postgres/database-options.ts'
import { ReadingSessions } from './postgres/log/reading-sessions.ts'
import { openReadable } from './sqlite-database.ts'

/** How long a page may take that is read from a database, in milliseconds. */
const databaseSilentMs = 60_000

/** One decision as it was recorded. Not verified: that is `audit verify`'s work. */
export interface StoredDecision {
  /** Position in the namespace's log. */
  readonly index: number
  readonly timeMs: number
  readonly call: string
  /** RFC 8785 text of the record. */
  readonly json: string
  /** The texts beside it. `none`: they were not kept. `closed`: their key is gone or they were changed. */
  readonly bodies:
    | { readonly kind: 'open'; readonly input: string | null; readonly engineInput: string | null }
    | { readonly kind: 'none' | 'closed' }
}

/** Reads the decisions of one namespace, newest first. */
export interface DecisionReader {
  /** Decisions at indexes below `beforeIndex`, at most `limit`. On SQLite it blocks the thread while it reads. */
  page(namespace: string, beforeIndex: number, limit: number): Promise<StoredDecision[]>
  close(): Promise<void>
}

/** Where the log is, and what opens the bodies. */
export interface DecisionReaderOptions {
  readonly dataDirectory: string
  /** 32 bytes. Without it, `master.key` in the data directory. */
  readonly masterKey: Uint8Array | null
  /** The database that has the log, where it is not in the data directory. */
  readonly database?: DatabaseOptions
}

/**
 * A reader beside a running server, with a connection of its own: it waits for no writer and no writer for it.
 * @throws McpworksError `storage_unavailable`
 */
export function openDecisionReader({ dataDirectory, masterKey, database }: DecisionReaderOptions): DecisionReader {
  const paths = dataDirectoryPaths(dataDirectory)
  try {
    const key = masterKey ?? loadMasterKey(paths.masterKey, false)
    return new StoredDecisionReader(database === undefined ? sqliteRows(paths.audit) : postgresRows(database), key)
  } catch (cause) {
    throw cause instanceof McpworksError ? cause : new McpworksError('storage_unavailable', { cause })
  }
}

/** Rows of decisions below an index of a namespace, newest first, with the bodies beside them and their keys. */
interface DecisionRows {
  read(namespace: string, beforeIndex: number, limit: number): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

function sqliteRows(path: string): DecisionRows {
  const database = openReadable(path)
  const statement = database.prepare(
    `SELECT idx, id, time_ms, call, json, bodies.data_key, sealed, wrapped, subject, epoch, namespace
     FROM records JOIN logs USING (log) LEFT JOIN bodies USING (seq)
     LEFT JOIN data_keys ON data_keys.data_key = bodies.data_key
     WHERE namespace = ? AND idx < ? AND kind = 'decision' AND json <> '' ORDER BY idx DESC LIMIT ?`,
  )
  return {
    read: async (namespace, beforeIndex, limit) => statement.all(namespace, beforeIndex, limit),
    close: async () => database.close(),
  }
}

function postgresRows(database: DatabaseOptions): DecisionRows {
  const sessions = new ReadingSessions({ database, silentMs: databaseSilentMs })
  return {
    read: (namespace, beforeIndex, limit) =>
      sessions.read(
        `SELECT idx, id, time_ms, call, json, bodies.data_key, sealed, wrapped, subject, data_keys.epoch, namespace
         FROM records JOIN logs USING (log) LEFT JOIN bodies USING (writer, pos)
         LEFT JOIN data_keys ON data_keys.data_key = bodies.data_key
         WHERE records.log = (SELECT log FROM logs WHERE namespace = $1) AND idx < $2 AND kind = 'decision' AND json <> ''
         ORDER BY idx DESC LIMIT $3`,
        [namespace, beforeIndex, limit],
      ),
    close: () => sessions.close(),
  }
}

class StoredDecisionReader implements DecisionReader {
  readonly #rows: DecisionRows
  readonly #dataKeys: OpenedDataKeys

  constructor(rows: DecisionRows, masterKey: Uint8Array) {
    this.#rows = rows
    this.#dataKeys = new OpenedDataKeys(masterKey)
  }

  async page(namespace: string, beforeIndex: number, limit: number): Promise<StoredDecision[]> {
    try {
      const rows = await this.#rows.read(namespace, beforeIndex, limit)
      return rows.map((row) => ({
        index: Number(row['idx']),
        timeMs: Number(row['time_ms']),
        call: String(row['call']),
        json: String(row['json']),
        bodies: row['sealed'] === null ? { kind: 'none' } : this.#open(row),
      }))
    } catch (cause) {
      throw new McpworksError('storage_unavailable', { cause })
    }
  }

  close(): Promise<void> {
    return this.#rows.close()
  }

  #open(row: Record<string, unknown>): StoredDecision['bodies'] {
    const key = this.#dataKey(row)
    const opened = key === null ? null : openBodies(key, String(row['id']), row['sealed'] as Uint8Array)
    if (opened === null) return { kind: 'closed' }
    const textOf = (wanted: string): string | null => opened.find(({ part }) => part === wanted)?.body ?? null
    return { kind: 'open', input: textOf('input'), engineInput: textOf('engine_input') }
  }

  /** `null` for a key that is gone or does not unwrap: what it sealed counts as closed. */
  #dataKey(row: Record<string, unknown>): KeyObject | null {
    try {
      return this.#dataKeys.open(row as unknown as DataKeyRow)
    } catch {
      // Told to the reader of the answer as decisions that could not be opened.
      return null
    }
  }
}
