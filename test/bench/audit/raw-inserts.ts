import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { summarise, type Measurement } from './measurement.ts'

/** Bytes of a decision and of its outcome as they are stored, with what lies beside them. */
export interface PairBytes {
  readonly decision: number
  readonly outcome: number
}

/** Puts rows into one table in one transaction with one sync, however many there are. */
interface RawStore {
  insert(bodies: readonly Buffer[]): Promise<void>
  close(): Promise<void>
}

/**
 * What `group` callers could have at best of this database: decisions of all of them in one transaction, then their
 * outcomes in another, each synced before the next. No index, no hash, no key, and nothing that is waited for but the disk.
 */
export async function rawPairs(
  store: RawStore,
  group: number,
  pairs: number,
  { decision, outcome }: PairBytes,
): Promise<{ pairs: Measurement; insert: Measurement }> {
  const decisions = Array.from({ length: group }, () => Buffer.alloc(decision, 'x'))
  const outcomes = Array.from({ length: group }, () => Buffer.alloc(outcome, 'x'))
  const times: number[] = []
  const inserts: number[] = []
  const cpu = process.cpuUsage()
  const begun = performance.now()
  for (let round = 0; round < pairs / group; round++) {
    const start = performance.now()
    await store.insert(decisions)
    inserts.push(performance.now() - start)
    await store.insert(outcomes)
    const took = performance.now() - start
    for (let pair = 0; pair < group; pair++) times.push(took)
  }
  const elapsed = performance.now() - begun
  const used = process.cpuUsage(cpu)
  await store.close()
  const cpuMs = (used.user + used.system) / 1000
  return {
    pairs: summarise('raw pairs', group, times, elapsed, cpuMs),
    insert: summarise('raw insert', group, inserts, elapsed, cpuMs),
  }
}

/** SQLite as fast as it can, on this thread, with the log's own settings. */
export function rawSqlite(directory: string): RawStore {
  const path = join(directory, 'raw.db')
  const database = new DatabaseSync(path)
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (seq INTEGER PRIMARY KEY, body BLOB)',
  )
  const insert = database.prepare('INSERT INTO rows (body) VALUES (?)')
  const begin = database.prepare('BEGIN IMMEDIATE')
  const commit = database.prepare('COMMIT')
  return {
    async insert(bodies) {
      begin.run()
      for (const body of bodies) insert.run(body)
      commit.run()
    },
    async close() {
      database.close()
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    },
  }
}

/** PostgreSQL over one connection, one statement for all rows. */
export async function rawPostgres(url: string): Promise<RawStore> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('CREATE TABLE raw_rows (seq bigserial PRIMARY KEY, body bytea NOT NULL)')
  return {
    async insert(bodies) {
      await client.query({
        name: 'raw',
        text: 'INSERT INTO raw_rows (body) SELECT * FROM unnest($1::bytea[])',
        values: [bodies],
      })
    },
    async close() {
      await client.query('DROP TABLE raw_rows')
      await client.end()
    },
  }
}
