import { DatabaseError } from './database-failure.ts'
import { stateSchema } from './lease-session.ts'
import type { Session } from './session.ts'

/** Which server is active, or was the last to be. */
export interface LeaseRow {
  /** Counts the servers that have been active, from 1. */
  readonly epoch: number
  /** Id of the server process. */
  readonly holder: string
  /** Name of its machine. */
  readonly host: string
  /** The session that holds the lock: process id in the database server, and when it began. */
  readonly process: number
  readonly backendStart: string
  /** Derived from the master key under which the database was made. */
  readonly keyCheck: string
}

/** Who takes the lease. */
export type LeaseTaker = Pick<LeaseRow, 'holder' | 'host' | 'keyCheck'>

/** The row, `null` in a database that no server has been active on. @throws DatabaseError */
export async function readLeaseRow(session: Session): Promise<LeaseRow | null> {
  const table = `${stateSchema}.server_lease`
  // What does not exist cannot be selected from, not even in a branch that is not taken.
  const { rows: found } = await session.query('SELECT to_regclass($1) IS NOT NULL AS there', [table])
  if (found[0]?.['there'] !== true) return null
  const { rows } = await session.query(`SELECT epoch, holder, host, process, backend_start, key_check FROM ${table}`)
  const [row] = rows
  if (row === undefined) return null
  return {
    epoch: Number(row['epoch']),
    holder: String(row['holder']),
    host: String(row['host']),
    process: Number(row['process']),
    backendStart: String(row['backend_start']),
    keyCheck: String(row['key_check']),
  }
}

/** Begins the next epoch. Only for the session that holds the lock. Answers the epoch. @throws DatabaseError */
export async function writeLeaseRow(session: Session, { holder, host, keyCheck }: LeaseTaker): Promise<number> {
  const { rows } = await session.query(
    `INSERT INTO ${stateSchema}.server_lease AS lease (epoch, holder, host, process, backend_start, key_check, taken_at)
     SELECT 1, $1, $2, pid, backend_start::text, $3, now() FROM pg_stat_activity WHERE pid = pg_backend_pid()
     ON CONFLICT (one) DO UPDATE SET epoch = lease.epoch + 1, holder = excluded.holder, host = excluded.host,
       process = excluded.process, backend_start = excluded.backend_start, taken_at = excluded.taken_at
     RETURNING epoch`,
    [holder, host, keyCheck],
  )
  return Number(rows[0]?.['epoch'])
}

/** The same epoch goes on in another session. @throws DatabaseError */
export async function moveLeaseRow(session: Session): Promise<void> {
  await session.query(
    `UPDATE ${stateSchema}.server_lease SET process = pid, backend_start = activity.backend_start::text
     FROM pg_stat_activity AS activity WHERE pid = pg_backend_pid()`,
  )
}

/** Ends the session of the row where the database still keeps it: its connection broke without the database's notice. */
export async function endFormerSession(session: Session, row: LeaseRow): Promise<void> {
  await session.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid = $1 AND backend_start::text = $2 AND usename = current_user`,
    [row.process, row.backendStart],
  )
}

/**
 * Tells one history of the tables from another: a database that was restored from a backup, or a replica that was made
 * the primary, can have lost what this server wrote last, and still have its row. `null` where the database does not
 * tell, which is like nothing.
 */
export async function readHistory(session: Session): Promise<string | null> {
  try {
    // The name of a file of the write-ahead log begins with its timeline.
    const { rows } = await session.query(
      `SELECT $1::regclass::oid::text AS incarnation, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline`,
      [`${stateSchema}.server_lease`],
    )
    return `${String(rows[0]?.['incarnation'])}/${String(rows[0]?.['timeline'])}`
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlState !== null) return null
    throw error
  }
}
