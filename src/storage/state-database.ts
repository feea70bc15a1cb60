import { Kysely } from 'kysely'
import { McpworksError } from '../kernel/index.ts'
import type { StateTables } from './state-tables.ts'
import { DatabaseError } from './postgres/database-failure.ts'
import { LeaseDialect } from './postgres/lease-dialect.ts'
import type { Lease } from './postgres/lease.ts'
import { StateQueryError, type WorkerClient } from './worker-client.ts'
import { WorkerDialect } from './worker-dialect.ts'

/** The state database, as the stores see it. */
export type StateDatabase = Kysely<StateTables>

// SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE and SQLITE_CONSTRAINT_ROWID (sqlite.org/rescode.html).
const alreadyThere = new Set([1555, 2067, 2579])

// unique_violation (PostgreSQL manual, appendix A).
const uniqueViolation = '23505'

// character_not_in_repertoire and untranslatable_character: U+0000, the one character that PostgreSQL does not keep.
const noSuchText = new Set(['22021', '22P05'])

/** kysely over the storage worker: SQLite. */
export function openStateDatabase(client: WorkerClient): StateDatabase {
  return new Kysely<StateTables>({ dialect: new WorkerDialect(client) })
}

/** kysely over the session that holds the lease: PostgreSQL. */
export function openLeasedDatabase(lease: Lease): StateDatabase {
  return new Kysely<StateTables>({ dialect: new LeaseDialect(lease) })
}

/**
 * Runs a store's work and gives its failures the project's codes.
 * @throws McpworksError `already_exists` where a unique key was taken, `invalid_request` for text that the database
 * cannot keep, `storage_unavailable` for everything else
 */
export async function withStateErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof McpworksError) throw cause
    if (cause instanceof DatabaseError && noSuchText.has(cause.sqlState ?? '')) {
      throw new McpworksError('invalid_request', { message: 'Text here must not contain the character U+0000.', cause })
    }
    throw new McpworksError(isTaken(cause) ? 'already_exists' : 'storage_unavailable', {
      detail: cause instanceof Error ? cause.message : 'unknown',
      cause,
    })
  }
}

function isTaken(cause: unknown): boolean {
  if (cause instanceof DatabaseError) return cause.sqlState === uniqueViolation
  return cause instanceof StateQueryError && alreadyThere.has(cause.errcode)
}
