import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { verifyDecisionLog, type AuditReader, type VerifyOptions, type VerifyReport } from '../../src/audit/index.ts'
import { systemClock, type Clock } from '../../src/kernel/index.ts'
import {
  openPostgresAuditReader,
  openPostgresLog,
  type PostgresLog,
  type PostgresLogOptions,
} from '../../src/storage/index.ts'
import { reusedPostgresDatabase } from './postgres-database.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A database with a decision log in it, as a test sees it. */
export interface PostgresLogPlace {
  readonly url: string
  readonly masterKey: Uint8Array
  /** Opens the log as one more writer, and closes it when the running test ends. */
  open(clock?: Clock, options?: Pick<PostgresLogOptions, 'silentMs' | 'graceMs'>): Promise<PostgresLog>
  verify(options?: Omit<VerifyOptions, 'reader'>): Promise<VerifyReport>
  /** What the verifier reads with. To be closed. */
  reader(): AuditReader
  /** Runs a statement of somebody who may do everything; gives the rows. */
  sql(statement: string, parameters?: readonly unknown[]): Promise<Record<string, unknown>[]>
}

/** A log on a database that others use after the running test, or on the one that is given. */
export async function postgresLogPlace(given?: string): Promise<PostgresLogPlace> {
  const url = given ?? (await reusedPostgresDatabase())
  const database = { url, caFile: null }
  const masterKey = randomBytes(32)
  const publicKeyPath = join(temporaryDirectory(), 'audit.pub')
  return {
    url,
    masterKey,
    async open(clock = systemClock, options = {}) {
      const log = await openPostgresLog({ database, masterKey, publicKeyPath, clock, ...options })
      onTestFinished(() => log.close())
      return log
    },
    async verify(options = {}) {
      const reader = openPostgresAuditReader({ database, masterKey, publicKeyLine: null })
      try {
        return await verifyDecisionLog({ reader, ...options })
      } finally {
        await reader.close()
      }
    },
    reader: () => openPostgresAuditReader({ database, masterKey, publicKeyLine: null }),
    async sql(statement, parameters = []) {
      const client = new pg.Client({ connectionString: url, options: '-c search_path=mcpworks_log' })
      await client.connect()
      try {
        return (await client.query(statement, [...parameters])).rows
      } finally {
        await client.end()
      }
    },
  }
}
