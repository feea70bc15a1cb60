import { Kysely } from 'kysely'
import type { DecisionLog } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { AuditTables } from './audit-tables.ts'
import { dataDirectoryPaths } from './data-directory.ts'
import type { DatabaseOptions } from './postgres/database-options.ts'
import { readRecords as readRecordsOnPostgres } from './postgres/log/read-records.ts'
import { ReadingSessions } from './postgres/log/reading-sessions.ts'
import { readRecords } from './read-records.ts'
import { readableDialect } from './readable-dialect.ts'
import { openReadable } from './sqlite-database.ts'

/** How long a page may take that is read from a database, in milliseconds. */
const databaseSilentMs = 60_000

/** Where the log is. */
export interface RecordReaderOptions {
  readonly dataDirectory: string
  /** The database that has the log, where it is not in the data directory. */
  readonly database?: DatabaseOptions
}

/** Reads records, without the bodies beside them. On SQLite it blocks the thread while it reads. */
export interface RecordReader extends Pick<DecisionLog, 'read'> {
  close(): Promise<void>
}

/**
 * A reader of records beside a running server, with a connection of its own that can do nothing but read. On PostgreSQL
 * what was acknowledged may take a second until it has its place among the records of all namespaces and is found there.
 * @throws McpworksError `storage_unavailable`
 */
export function openRecordReader({ dataDirectory, database }: RecordReaderOptions): RecordReader {
  if (database !== undefined) {
    const sessions = new ReadingSessions({ database, silentMs: databaseSilentMs })
    return { read: (query) => readRecordsOnPostgres(sessions, query), close: () => sessions.close() }
  }
  try {
    const connection = openReadable(dataDirectoryPaths(dataDirectory).audit)
    const records = new Kysely<AuditTables>({ dialect: readableDialect(connection) })
    return { read: (query) => readRecords(records, query), close: () => records.destroy() }
  } catch (cause) {
    throw new McpworksError('storage_unavailable', { cause })
  }
}
