import type { Session } from '../session.ts'

/** First key of every advisory lock of the decision log: "mcpl". The second is one of these, or a writer's number. */
const lockClass = 0x6d63706c

/** Held for a moment, while tables are made or changed. */
export const migrationLock = -1

/** Held by the one who gives records their order and signs checkpoints. */
export const sequencerLock = 0

/** Takes a lock for the session if nobody has it. @throws DatabaseError */
export async function tryAdvisoryLock(session: Session, key: number): Promise<boolean> {
  const { rows } = await session.query('SELECT pg_try_advisory_lock($1::int, $2::int) AS taken', [lockClass, key])
  return rows[0]?.['taken'] === true
}

/** Waits for a lock, as long as statements of the session may take. @throws DatabaseError */
export async function takeAdvisoryLock(session: Session, key: number): Promise<void> {
  await session.query('SELECT pg_advisory_lock($1::int, $2::int)', [lockClass, key])
}

/** @throws DatabaseError */
export async function releaseAdvisoryLock(session: Session, key: number): Promise<void> {
  await session.query('SELECT pg_advisory_unlock($1::int, $2::int)', [lockClass, key])
}

/** Which of these keys no session has. Takes none of them, so that nobody who tries to is disturbed. @throws DatabaseError */
export async function freeAdvisoryLocks(session: Session, keys: readonly number[]): Promise<number[]> {
  const { rows } = await session.query(
    `SELECT objid::bigint AS key FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = $1::int::oid
       AND objsubid = 2 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [lockClass],
  )
  const held = new Set(rows.map((row) => Number(row['key'])))
  return keys.filter((key) => !held.has(key))
}
