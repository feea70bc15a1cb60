import type { DatabaseOptions } from '../database-options.ts'
import { requireTrustworthy } from '../require-trustworthy.ts'
import { Session } from '../session.ts'
import { logSchema } from './log-migrations.ts'

/** How sessions of the log are opened. */
export interface LogSessionOptions {
  readonly database: DatabaseOptions
  /** How long a statement may take before the session counts as broken. */
  readonly silentMs: number
}

/**
 * Opens a session on the log's tables, in a database that keeps what it acknowledges.
 * @throws DatabaseError; McpworksError `storage_unavailable`, `config_invalid`
 */
export async function openLogSession(options: LogSessionOptions, name: string): Promise<Session> {
  const session = await openLogReadingSession(options, name)
  try {
    await requireTrustworthy(session)
  } catch (error) {
    session.destroy('the database is not fit for use')
    throw error
  }
  return session
}

/**
 * The same for whoever only reads: a replica will do.
 * @throws DatabaseError; McpworksError `config_invalid`
 */
export function openLogReadingSession({ database, silentMs }: LogSessionOptions, name: string): Promise<Session> {
  const seconds = Math.max(1, Math.floor(silentMs / 1000))
  return Session.open({
    database,
    applicationName: `mcpworks ${name}`,
    connectTimeoutMs: silentMs,
    settings: {
      // Nothing that others may create in a database, such as a table in "public", is mistaken for ours.
      search_path: `${logSchema},pg_temp`,
      statement_timeout: String(silentMs),
      // Who stops in the middle of a transaction must not keep writers waiting for the rows that it locked.
      idle_in_transaction_session_timeout: String(silentMs),
      idle_session_timeout: '0',
      client_connection_check_interval: '1000',
      tcp_keepalives_idle: String(seconds),
      tcp_keepalives_interval: String(Math.max(1, Math.floor(seconds / 3))),
      tcp_keepalives_count: '3',
      tcp_user_timeout: String(silentMs * 2),
    },
  })
}

/** What `work` gives, unless the database is silent for so long that the session is given up. @throws DatabaseError */
export async function answeredInTime<Result>(
  session: Session,
  silentMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const silence = setTimeout(() => session.destroy(`the database has not answered for ${silentMs / 1000} s`), silentMs)
  try {
    return await work()
  } finally {
    clearTimeout(silence)
  }
}
