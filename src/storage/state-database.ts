import { Kysely } from 'kysely'
import { McpworksError } from '../kernel/index.ts'
import type { StateTables } from './state-tables.ts'
import { StateQueryError, type WorkerClient } from './worker-client.ts'
import { WorkerDialect } from './worker-dialect.ts'

/** The state database, as the stores see it. */
export type StateDatabase = Kysely<StateTables>

// SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_ROWID (sqlite.org/rescode.html).
const alreadyThere = new Set([1555, 2067, 2579])

/** kysely over the storage worker. */
export function openStateDatabase(client: WorkerClient): StateDatabase {
  return new Kysely<StateTables>({ dialect: new WorkerDialect(client) })
}

/**
 * Runs a store's work and gives its failures the project's codes.
 * @throws McpworksError `already_exists` where a unique key was taken, `storage_unavailable` for everything else
 */
export async function withStateErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof McpworksError) throw cause
    const taken = cause instanceof StateQueryError && alreadyThere.has(cause.errcode)
    throw new McpworksError(taken ? 'already_exists' : 'storage_unavailable', {
      detail: cause instanceof Error ? cause.message : 'unknown',
      cause,
    })
  }
}
