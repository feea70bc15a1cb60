import { DatabaseSync } from 'node:sqlite'
import { McpworksError } from '../kernel/index.ts'

/** How a database file is opened for writing. */
export interface WritableOptions {
  readonly path: string
  readonly migrations: readonly string[]
  /** Pages of the write-ahead log after which it is folded into the database. Small keeps the longest wait short. */
  readonly checkpointPages: number
  /** Upper bound of the file in pages of 4096 bytes; reaching it is the same as a full disk. `null` for none. */
  readonly maxPages: number | null
}

/**
 * Opens a database for the one writer: write-ahead log, every commit synced, schema brought up to date.
 * The settings are read back, because a driver or a file system that quietly keeps others would void durability.
 * @throws McpworksError `storage_unavailable`; SQLite's own errors
 */
export function openWritable(options: WritableOptions): DatabaseSync {
  const database = new DatabaseSync(options.path, { timeout: 5000, enableForeignKeyConstraints: true })
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    // What is deleted is overwritten: an erased key must not be found in a page that is free.
    database.exec('PRAGMA secure_delete = ON')
    database.exec(`PRAGMA wal_autocheckpoint = ${options.checkpointPages}`)
    if (options.maxPages !== null) database.exec(`PRAGMA max_page_count = ${options.maxPages}`)
    requireSetting(database, 'journal_mode', 'wal')
    requireSetting(database, 'synchronous', 2)
    requireSetting(database, 'secure_delete', 1)
    migrate(database, options.migrations)
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/**
 * Opens a database for reading, beside a running writer or without one.
 * @throws SQLite's own errors
 */
export function openReadable(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  database.exec('PRAGMA query_only = ON')
  return database
}

/**
 * Folds the whole write-ahead log into the database and empties it. After a failed sync this must come before the next
 * commit: the system may have dropped what it could not write and call the next sync good, and a hole in the log would
 * end the recovery after a power cut there, before newer records that were acknowledged.
 * @throws SQLite's own errors; McpworksError `storage_unavailable` where a reader is in the way for longer than 5 s
 */
export function foldLog(database: DatabaseSync): void {
  const row = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  if (row?.['busy'] !== 0) {
    throw new McpworksError('storage_unavailable', {
      detail: 'the write-ahead log could not be folded into the database',
    })
  }
}

/**
 * Empties the write-ahead log, so that what was overwritten lies in it no longer. Does nothing where a reader is in the
 * way: then the next fold does it.
 * @throws SQLite's own errors
 */
export function forgetOldPages(database: DatabaseSync): void {
  database.exec('PRAGMA busy_timeout = 100')
  database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  database.exec('PRAGMA busy_timeout = 5000')
}

function requireSetting(database: DatabaseSync, name: string, expected: string | number): void {
  const row = database.prepare(`PRAGMA ${name}`).get()
  const got = row?.[name]
  if (got !== expected) {
    throw new McpworksError('storage_unavailable', {
      detail: `SQLite keeps ${name} at ${String(got)}, not ${expected}`,
    })
  }
}

function migrate(database: DatabaseSync, migrations: readonly string[]): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > migrations.length) {
    throw new McpworksError('storage_unavailable', {
      message: 'The data directory was written by a newer version. Start that version, or restore a backup.',
    })
  }
  for (const [position, script] of migrations.entries()) {
    if (position < version) continue
    database.exec('BEGIN IMMEDIATE')
    try {
      database.exec(script)
      database.exec(`PRAGMA user_version = ${position + 1}`)
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
}
