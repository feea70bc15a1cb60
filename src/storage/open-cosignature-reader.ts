import { existsSync } from 'node:fs'
import { Kysely } from 'kysely'
import type { CosignatureStore, StoredCosignature } from '../audit/index.ts'
import { dataDirectoryPaths } from './data-directory.ts'
import type { AuditReaderOptions } from './open-audit-reader.ts'
import type { DatabaseOptions } from './postgres/database-options.ts'
import { ReadingSessions } from './postgres/log/reading-sessions.ts'
import { readableDialect } from './readable-dialect.ts'
import { SqlCosignatureStore } from './sql-cosignature-store.ts'
import { openReadable } from './sqlite-database.ts'
import type { StateTables } from './state-tables.ts'

/** How long a statement may take, in milliseconds. */
const silentMs = 60_000

/** Cosignatures for whoever only reads them. `list` rejects with McpworksError `storage_unavailable`. */
export interface CosignatureReader extends Pick<CosignatureStore, 'list'> {
  close(): Promise<void>
}

/**
 * Reads the cosignatures that a server keeps, with or without it running: those of a data directory or of a database.
 * They prove themselves, and nothing else that is kept with them is read. None where there is no state.
 */
export function openCosignatureReader({ dataDirectory, database }: AuditReaderOptions): CosignatureReader {
  if (database !== undefined) return postgresCosignatures(database)
  const { state } = dataDirectoryPaths(dataDirectory)
  if (!existsSync(state)) return { list: async () => [], close: async () => {} }
  const opened = new Kysely<StateTables>({ dialect: readableDialect(openReadable(state)) })
  const store = new SqlCosignatureStore(opened)
  return { list: (namespace, period) => store.list(namespace, period), close: () => opened.destroy() }
}

/** Not over the lease's session: whoever reads beside a running server does not have it. */
function postgresCosignatures(database: DatabaseOptions): CosignatureReader {
  const sessions = new ReadingSessions({ database, silentMs })
  return {
    async list(namespace, period) {
      const rows = await sessions.read(
        `SELECT size, witness, time_s, line FROM mcpworks_state.cosignatures
         WHERE namespace = $1 AND period = $2 ORDER BY size DESC, witness`,
        [namespace, period],
      )
      return rows.map((row): StoredCosignature => ({
        namespace,
        period,
        size: Number(row['size']),
        witness: String(row['witness']),
        timeSeconds: Number(row['time_s']),
        line: String(row['line']),
      }))
    },
    close: () => sessions.close(),
  }
}
