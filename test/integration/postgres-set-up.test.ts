import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { findPostgres } from '../../scripts/bootstrap/system-packages.mjs'
import { systemClock } from '../../src/kernel/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { Session } from '../../src/storage/postgres/session.ts'
import { startPostgresCluster, type PostgresCluster } from '../support/postgres-cluster.ts'
import { decisionDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const root = resolve(import.meta.dirname, '../..')
const masterKey = randomBytes(32)
const password = randomBytes(12).toString('hex')
let cluster: PostgresCluster

beforeAll(async () => {
  cluster = await startPostgresCluster()
  await program(
    'psql',
    '--no-psqlrc',
    '--set',
    'ON_ERROR_STOP=on',
    '--file',
    join(root, 'deploy/postgresql/set-up.sql'),
  )
  for (const role of ['mcpworks', 'mcpworks_auditor']) await run(`ALTER ROLE ${role} PASSWORD '${password}'`)
})
afterAll(() => cluster.close())

/** Runs a program of PostgreSQL as the superuser. */
async function program(name: string, ...args: string[]): Promise<void> {
  const { pathname, searchParams, username, password: secret } = new URL(cluster.url())
  const env = {
    PGHOST: searchParams.get('host') ?? '',
    PGUSER: username,
    PGPASSWORD: secret,
    PGDATABASE: pathname.slice(1),
  }
  await promisify(execFile)(join(findPostgres() ?? '', name), args, { env })
}

async function run(sql: string, url = cluster.url()): Promise<Record<string, unknown>[]> {
  const session = await Session.open({ database: { url, caFile: null }, applicationName: 'test' })
  try {
    return (await session.query(sql)).rows
  } finally {
    await session.close()
  }
}

function urlOf(role: string, database = 'mcpworks'): string {
  const url = new URL(cluster.url(database))
  url.username = role
  url.password = password
  return url.href
}

async function opened(database = 'mcpworks'): Promise<Storage> {
  const postgres = { url: urlOf('mcpworks', database), caFile: null, silentMs: 10_000 }
  const storage = await openStorage({
    dataDirectory: join(temporaryDirectory(), 'data'),
    clock: systemClock,
    masterKey,
    postgres,
  })
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await storage.close()
  }
  onTestFinished(close)
  return { ...storage, close }
}

const namespace = { name: 'demo', createdAtMs: 1, createdBy: 'anna' }

it('gives the server what it needs, and nothing more', async () => {
  const storage = await opened()
  await storage.namespaces.insert(namespace)
  await storage.decisionLog.append(decisionDraft())
  expect(await storage.namespaces.load()).toEqual([namespace])
  await storage.close()
  const server = urlOf('mcpworks')
  for (const refused of ['CREATE SCHEMA more', 'CREATE TABLE public.more (id int)', 'CREATE TEMP TABLE more (id int)'])
    await expect(run(refused, server)).rejects.toMatchObject({ sqlState: '42501' })
  await expect(run('CREATE DATABASE more', server)).rejects.toMatchObject({ sqlState: '42501' })
  await expect(run('SELECT pg_read_file($$/etc/passwd$$)', server)).rejects.toMatchObject({ sqlState: '42501' })
})

it('lets an auditor read the log, and nothing else', async () => {
  await (await opened()).close()
  const auditor = urlOf('mcpworks_auditor')
  await expect(run('SELECT * FROM mcpworks_state.principals', auditor)).rejects.toMatchObject({ sqlState: '42501' })
  await expect(run('CREATE TABLE mcpworks_log.more (id int)', auditor)).rejects.toMatchObject({ sqlState: '42501' })
  const tables = await run("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'mcpworks_log'")
  for (const { name } of tables) {
    await run(`SELECT * FROM mcpworks_log.${String(name)}`, auditor)
    await expect(run(`DELETE FROM mcpworks_log.${String(name)}`, auditor)).rejects.toMatchObject({ sqlState: '42501' })
  }
})

it('can be backed up and restored as the page says', async () => {
  const storage = await opened()
  await storage.namespaces.insert({ ...namespace, name: 'kept' })
  const before = await storage.namespaces.load()
  await storage.close()
  const page = readFileSync(join(root, 'docs/postgresql.md'), 'utf8')
  const dump = join(temporaryDirectory(), 'mcpworks.dump')
  const asThePageSays = (name: string): Promise<void> => {
    const line = new RegExp(`^${name} (.*)$`, 'm').exec(page)?.[1] ?? ''
    const words = line.replaceAll('"', '').replace('mcpworks.dump', dump).replace('$ADMIN_URL', cluster.url('mcpworks'))
    return program(name, ...words.split(' '))
  }
  await asThePageSays('pg_dump')
  const later = await opened()
  await later.namespaces.insert({ ...namespace, name: 'later' })
  await later.close()
  await asThePageSays('pg_restore')
  const restored = await opened()
  expect(await restored.namespaces.load()).toEqual(before)
  await restored.namespaces.insert({ ...namespace, name: 'again' })
  await restored.close()
  await expect(run('SELECT * FROM mcpworks_state.principals', urlOf('mcpworks_auditor'))).rejects.toMatchObject({
    sqlState: '42501',
  })
})
