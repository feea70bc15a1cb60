import type { DatabaseOptions } from './database-options.ts'
import { requireTrustworthy } from './require-trustworthy.ts'
import { Session } from './session.ts'

/** The schema of the tables of state. */
export const stateSchema = 'mcpworks_state'

/** The two keys of the advisory lock: "mcpw", and what of it. Advisory locks are a database's own. */
const lockKeys = [0x6d637077, 1] as const

/**
 * Opens a session that may hold the lease. The database ends it `silentMs` * 2 after it last heard of this machine: later
 * than this server stops by itself, so that no other can be active before.
 * @throws DatabaseError; McpworksError `storage_unavailable`, `config_invalid`
 */
export async function openLeaseSession(database: DatabaseOptions, silentMs: number): Promise<Session> {
  const seconds = Math.max(1, Math.floor(silentMs / 1000))
  const session = await Session.open({
    database,
    applicationName: 'mcpworks state',
    settings: {
      // Nothing that others may create in a database, such as a table in "public", is mistaken for ours.
      search_path: `${stateSchema},pg_temp`,
      // A statement must not make the session look silent.
      statement_timeout: String(Math.ceil(silentMs * 0.8)),
      idle_in_transaction_session_timeout: '0',
      idle_session_timeout: '0',
      client_connection_check_interval: '1000',
      tcp_keepalives_idle: String(seconds),
      tcp_keepalives_interval: String(Math.max(1, Math.floor(seconds / 3))),
      tcp_keepalives_count: '3',
      tcp_user_timeout: String(silentMs * 2),
    },
  })
  try {
    await requireTrustworthy(session)
  } catch (error) {
    session.destroy('the database is not fit for use')
    throw error
  }
  return session
}

/** Takes the lock for this session if nobody has it. @throws DatabaseError */
export async function tryLock(session: Session): Promise<boolean> {
  const { rows } = await session.query('SELECT pg_try_advisory_lock($1::int, $2::int) AS taken', lockKeys)
  return rows[0]?.['taken'] === true
}

/** Whether the session that answers has the lock: behind a pooler it may not be the one that took it. @throws DatabaseError */
export async function holdsLock(session: Session): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
       AND classid = $1::int::oid AND objid = $2::int::oid AND objsubid = 2) AS held`,
    lockKeys,
  )
  return rows[0]?.['held'] === true
}
