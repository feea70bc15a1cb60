import type { KeyObject } from 'node:crypto'
import { DatabaseError } from '../database-failure.ts'
import type { Session } from '../session.ts'
import { takeAdvisoryLock, tryAdvisoryLock } from './advisory-locks.ts'
import { readWriterRows, writerMacFits, type TakenWriter } from './writer-row.ts'

/** SQLSTATE of a lock that was not to be had in time. */
const lockNotAvailable = '55P03'

/** The process that serves a session, as the database names it. The number alone may be given again. */
export interface Backend {
  readonly pid: number
  readonly started: string
}

/** A writer that this process had, and what it was doing with it. */
export interface FormerWriter {
  readonly writer: number
  readonly epoch: number
  readonly backend: Backend
  /** Allowed calls under way, whose decisions were acknowledged. */
  readonly calls: ReadonlySet<string>
}

/** Which process serves this session. @throws DatabaseError */
export async function readBackend(session: Session): Promise<Backend> {
  const { rows } = await session.query(
    'SELECT pid, backend_start::text AS started FROM pg_stat_activity WHERE pid = pg_backend_pid()',
  )
  return { pid: Number(rows[0]?.['pid']), started: String(rows[0]?.['started']) }
}

/**
 * Takes the writer that this process had before its session broke; `null` where somebody else has it by now. The former
 * session is ended first: the database may not know yet that nobody listens to it. Once the lock is there, nothing of that
 * session runs any more, and what became of its last batch stands in the row.
 * @throws DatabaseError
 */
export async function regainWriter(
  session: Session,
  { writer, backend }: Pick<FormerWriter, 'writer' | 'backend'>,
  key: KeyObject,
  logId: string,
): Promise<TakenWriter | null> {
  if (!(await tryAdvisoryLock(session, writer)) && !(await waitForLock(session, writer, backend))) return null
  const row = (await readWriterRows(session)).find((other) => other.writer === writer)
  return row !== undefined && writerMacFits(key, logId, row) ? { writer, left: row.position } : null
}

async function waitForLock(session: Session, writer: number, { pid, started }: Backend): Promise<boolean> {
  await session.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid = $1 AND backend_start::text = $2 AND pid <> pg_backend_pid()`,
    [pid, started],
  )
  await session.query("SET lock_timeout = '2s'")
  try {
    await takeAdvisoryLock(session, writer)
    return true
  } catch (error) {
    if (error instanceof DatabaseError && error.sqlState === lockNotAvailable) return false
    throw error
  } finally {
    if (session.ended === null) await session.query('RESET lock_timeout')
  }
}
