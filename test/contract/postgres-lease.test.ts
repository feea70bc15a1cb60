import { Kysely } from 'kysely'
import { expect, it, onTestFinished } from 'vitest'
import { McpworksError } from '../../src/kernel/index.ts'
import { LeaseDialect } from '../../src/storage/postgres/lease-dialect.ts'
import { Lease, type LeaseOptions } from '../../src/storage/postgres/lease.ts'
import { Session } from '../../src/storage/postgres/session.ts'
import { SqlNamespaceStore } from '../../src/storage/sql-namespace-store.ts'
import { openLeasedDatabase } from '../../src/storage/state-database.ts'
import type { StateTables } from '../../src/storage/state-tables.ts'
import { databasePassage } from '../support/database-passage.ts'
import { postgresDatabase } from '../support/postgres-database.ts'

const namespace = { created_at_ms: 1, created_by: 'anna' }

function optionsOf(url: string, more: Partial<LeaseOptions> = {}): LeaseOptions {
  return {
    database: { url, caFile: null },
    silentMs: 10_000,
    host: 'one',
    keyCheck: (stored) => stored ?? 'k',
    ...more,
  }
}

/** The lease of a server, given up when the running test is over. */
async function leaseOn(url: string, more: Partial<LeaseOptions> = {}): Promise<Lease> {
  const lease = await Lease.acquire(optionsOf(url, more))
  onTestFinished(() => lease.close())
  return lease
}

/** A server that stands by; resolves when it does. */
async function standbyOn(
  url: string,
  more: Partial<LeaseOptions> = {},
): Promise<{ active: string; lease: Promise<Lease> }> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const lease = leaseOn(url, { host: 'two', ...more, onStandby: async ({ host }) => resolve(host) })
  lease.catch(() => undefined)
  return { active: await promise, lease }
}

/** Why the session ended that holds the lease at present, once it has. */
function endOf(lease: Lease): Promise<string> {
  return new Promise((resolve) => lease.session().onEnd(resolve))
}

function stateOf(lease: Lease): Kysely<StateTables> {
  return new Kysely<StateTables>({ dialect: new LeaseDialect(lease) })
}

/** Ends the sessions of the leases on a database, from another session. */
async function endSessions(url: string): Promise<void> {
  const session = await Session.open({ database: { url, caFile: null }, applicationName: 'test' })
  const { rows } = await session.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'mcpworks state' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)`,
  )
  expect(rows).toHaveLength(1)
  await session.close()
}

async function namespaces(url: string): Promise<unknown[]> {
  const session = await Session.open({ database: { url, caFile: null }, applicationName: 'test' })
  const { rows } = await session.query('SELECT name FROM mcpworks_state.namespaces ORDER BY name')
  await session.close()
  return rows.map(({ name }) => name)
}

it('lets one server be active, and the next when that one is closed', async () => {
  const url = await postgresDatabase()
  const first = await leaseOn(url)
  await stateOf(first)
    .insertInto('namespaces')
    .values({ name: 'demo', ...namespace })
    .execute()
  const second = await standbyOn(url)
  expect(second.active).toBe('one')
  await first.close()
  const lease = await second.lease
  expect(lease.lost()).toBe(null)
  expect(await stateOf(lease).selectFrom('namespaces').select('name').execute()).toEqual([{ name: 'demo' }])
  expect(() => first.session()).toThrow('the storage is closed')
})

it('stands by through a time in which the database takes nobody, and is active after it', async () => {
  const url = await postgresDatabase()
  const first = await leaseOn(url)
  const passage = await databasePassage(url)
  const second = await standbyOn(passage.url)
  passage.cut()
  await first.close()
  const took = second.lease.then(() => 'taken')
  expect(await Promise.race([took, leaseOn(url).then((lease) => lease.close())])).not.toBe('taken')
  passage.open()
  expect(await took).toBe('taken')
})

it('ends a statement before it makes the session look silent', async () => {
  const lease = await leaseOn(await postgresDatabase(), { silentMs: 300 })
  await expect(lease.session().query('SELECT pg_sleep(60)')).rejects.toThrow('took longer than it may')
  expect(lease.lost()).toBe(null)
})

it('stops standing by when it is told to', async () => {
  const url = await postgresDatabase()
  await leaseOn(url)
  const stopping = new AbortController()
  const { lease } = await standbyOn(url, { signal: stopping.signal })
  stopping.abort(new Error('enough'))
  await expect(lease).rejects.toThrow('enough')
})

it('goes on in a new session where its own was ended and nobody was active in between', async () => {
  const url = await postgresDatabase()
  const lease = await leaseOn(url)
  const state = stateOf(lease)
  const ended = endOf(lease)
  await endSessions(url)
  await ended
  expect(lease.lost()).toMatch(/57P01|terminated/)
  await expect(state.selectFrom('namespaces').selectAll().execute()).rejects.toThrow(/57P01|terminated/)
  await expect.poll(() => lease.lost()).toBe(null)
  expect(await state.selectFrom('namespaces').selectAll().execute()).toEqual([])
})

it('is replaced where another server was active in between, and never acts again', async () => {
  const url = await postgresDatabase()
  const passage = await databasePassage(url)
  const first = await leaseOn(passage.url)
  const second = await standbyOn(url)
  passage.cut()
  const lease = await second.lease
  expect(first.lost()).not.toBe(null)
  passage.open()
  expect(await first.replaced).toBe(
    'The server on two has taken over the database, so this one ends. Start it again to stand by.',
  )
  expect(() => first.session()).toThrow(/./)
  expect(lease.lost()).toBe(null)
})

it('does not go on where the database was restored meanwhile, whatever its row says', async () => {
  const url = await postgresDatabase()
  const lease = await leaseOn(url)
  await lease.session().query(
    `BEGIN; ALTER TABLE server_lease RENAME TO former; CREATE TABLE server_lease (LIKE former INCLUDING ALL);
     INSERT INTO server_lease SELECT * FROM former; COMMIT`,
  )
  await endSessions(url)
  expect(await lease.replaced).toContain('The database was restored')
})

it('cannot write once it lost the lease, not even what it sent before', async () => {
  const url = await postgresDatabase()
  const passage = await databasePassage(url)
  const first = await leaseOn(passage.url)
  const state = stateOf(first)
  const insert = (name: string) =>
    state
      .insertInto('namespaces')
      .values({ name, ...namespace })
      .execute()
  // What is only late arrives.
  passage.hold()
  const late = insert('late')
  passage.release()
  await late
  passage.hold()
  const lost = insert('lost')
  const second = await standbyOn(url)
  await endSessions(url)
  const { lease } = second
  await lease
  passage.release()
  await expect(lost).rejects.toThrow(/ended this session|closed|terminated/)
  await first.replaced
  expect(await namespaces(url)).toEqual(['late'])
})

it('stops acting when the database is silent, and ends its own former session to go on', async () => {
  const url = await postgresDatabase()
  const passage = await databasePassage(url)
  const lease = await leaseOn(passage.url, { silentMs: 300 })
  const ended = endOf(lease)
  passage.hold()
  expect(await ended).toBe('the database has not answered for 0.3 s')
  expect(() => lease.session()).toThrow('has not answered')
  await expect.poll(() => lease.lost()).toBe(null)
  await stateOf(lease)
    .insertInto('namespaces')
    .values({ name: 'demo', ...namespace })
    .execute()
})

it('notices that its lock is gone, as behind a pooler', async () => {
  const lease = await leaseOn(await postgresDatabase(), { silentMs: 300 })
  const ended = endOf(lease)
  await lease.session().query('SELECT pg_advisory_unlock_all()')
  expect(await ended).toContain('pooler')
  await expect.poll(() => lease.lost()).toBe(null)
})

it('stores nothing of a transaction whose session ended, and does not go on with it in the next', async () => {
  const url = await postgresDatabase()
  const lease = await leaseOn(url)
  const state = stateOf(lease)
  const ended = endOf(lease)
  const broken = state.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('namespaces')
      .values({ name: 'before', ...namespace })
      .execute()
    await endSessions(url)
    await ended
    await expect.poll(() => lease.lost()).toBe(null)
    await transaction
      .insertInto('namespaces')
      .values({ name: 'after', ...namespace })
      .execute()
  })
  await expect(broken).rejects.toThrow(/./)
  expect(await namespaces(url)).toEqual([])
  await state.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('namespaces')
      .values({ name: 'whole', ...namespace })
      .execute()
  })
  expect(await namespaces(url)).toEqual(['whole'])
})

it('keeps statements of others out of a transaction', async () => {
  const url = await postgresDatabase()
  const state = stateOf(await leaseOn(url))
  const broken = state.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('namespaces')
      .values({ name: 'inside', ...namespace })
      .execute()
    throw new Error('changed my mind')
  })
  const beside = state
    .insertInto('namespaces')
    .values({ name: 'beside', ...namespace })
    .execute()
  await expect(broken).rejects.toThrow('changed my mind')
  await beside
  expect(await namespaces(url)).toEqual(['beside'])
})

it('does not stand by under another master key, so that it need not find out when it is needed', async () => {
  const url = await postgresDatabase()
  await leaseOn(url, { keyCheck: () => 'mine' })
  const refuse = (stored: string | null): string => {
    throw new McpworksError('storage_unavailable', { message: `made under ${stored}` })
  }
  await expect(Lease.acquire(optionsOf(url, { keyCheck: refuse }))).rejects.toThrow('made under mine')
})

it('refuses a database that a newer version wrote', async () => {
  const url = await postgresDatabase()
  const lease = await leaseOn(url)
  await lease.session().query('UPDATE mcpworks_state.schema_version SET version = version + 1')
  await lease.close()
  await expect(Lease.acquire(optionsOf(url))).rejects.toThrow('newer version')
})

it('says of text that PostgreSQL cannot keep that it is not kept, and keeps all other text', async () => {
  const lease = await leaseOn(await postgresDatabase())
  const store = new SqlNamespaceStore(openLeasedDatabase(lease))
  const insert = (createdBy: string) => store.insert({ name: 'demo', createdAtMs: 1, createdBy })
  await expect(insert('a\0b')).rejects.toMatchObject({
    code: 'invalid_request',
    message: 'Text here must not contain the character U+0000.',
  })
  await insert('\u{1f512} \' " \\ $1 \u0001')
  expect(await store.load()).toMatchObject([{ createdBy: '\u{1f512} \' " \\ $1 \u0001' }])
  await expect(insert('\u{1f512}')).rejects.toMatchObject({ code: 'already_exists' })
})
