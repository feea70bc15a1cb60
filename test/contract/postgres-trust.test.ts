import { chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { examineDatabase } from '../../src/storage/index.ts'
import { requireTrustworthy } from '../../src/storage/postgres/require-trustworthy.ts'
import { Session } from '../../src/storage/postgres/session.ts'
import { createCertificateAuthority } from '../support/certificate-authority.ts'
import { startPostgresCluster, type PostgresCluster } from '../support/postgres-cluster.ts'

const authority = createCertificateAuthority()
let cluster: PostgresCluster

/** Writes a file that the database server may read, and nobody else. */
function fileOfServer(name: string, text: string): string {
  const path = join(cluster.directory, name)
  const { uid, gid } = statSync(cluster.directory)
  writeFileSync(path, text, { mode: 0o600 })
  chownSync(path, uid, gid)
  return path
}

beforeAll(async () => {
  cluster = await startPostgresCluster({ listen: 'tcp' })
  const { certificate, key } = authority.issue(['127.0.0.1'])
  await cluster.stop('crash')
  await cluster.start({
    ssl: 'on',
    ssl_cert_file: fileOfServer('server.pem', certificate),
    ssl_key_file: fileOfServer('server.key', key),
  })
  await run('CREATE ROLE reader LOGIN PASSWORD $$reader$$')
})
afterAll(() => cluster.close())

async function run(sql: string): Promise<void> {
  const session = await Session.open({ database: { url: cluster.url(), caFile: null }, applicationName: 'test' })
  await session.query(sql)
  await session.close()
}

/** What a look at it says: how it is reached, or the problem. */
async function look(url: string, caFile: string | null): Promise<string> {
  const found = await examineDatabase({ url, caFile })
  return found.ok ? (found.tls ? 'TLS' : 'plain') : found.problem
}

it('is reached over TLS where an authority is given, and only with a certificate of it that names the host', async () => {
  const own = fileOfServer('authority.pem', authority.certificate)
  const other = fileOfServer('other.pem', createCertificateAuthority().certificate)
  expect(await look(cluster.url(), own)).toBe('TLS')
  expect(await look(cluster.url(), other)).toContain('cannot be reached (CERT_SIGNATURE_FAILURE)')
  expect(await look(cluster.url().replace('@127.0.0.1:', '@localhost:'), own)).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  expect(await look(cluster.url(), '/nonexistent')).toBe('storage.database.caFile cannot be read.')
  // Loopback needs none, because what goes there does not leave the machine.
  expect(await look(cluster.url(), null)).toBe('plain')
})

it('is not talked to in the clear where it has no TLS and an authority was given', async () => {
  const own = fileOfServer('authority.pem', authority.certificate)
  await cluster.stop('fast')
  await cluster.start({ ssl: 'off' })
  expect(await look(cluster.url(), own)).toContain('does not support SSL')
  await cluster.stop('fast')
  await cluster.start({ ssl: 'on' })
  expect(await look(cluster.url(), own)).toBe('TLS')
})

it('is refused where what it acknowledges may be lost, and used again where not', async () => {
  const changed = async (settings: Record<string, string>): Promise<string> => {
    await cluster.stop('fast')
    await cluster.start(settings)
    return look(cluster.url(), null)
  }
  expect(await changed({ fsync: 'off' })).toContain('has fsync off')
  expect(await changed({ fsync: 'on', full_page_writes: 'off' })).toContain('has full_page_writes off')
  expect(await changed({ full_page_writes: 'on', default_transaction_read_only: 'on' })).toContain('read-only')
  expect(await changed({ default_transaction_read_only: 'off' })).toBe('plain')
})

it('waits for the disk in a session whose server would not', async () => {
  await run('ALTER ROLE reader SET synchronous_commit = off')
  const session = await Session.open({ database: { url: asReader(), caFile: null }, applicationName: 'test' })
  const setting = async () => (await session.query('SHOW synchronous_commit')).rows[0]?.['synchronous_commit']
  expect(await setting()).toBe('off')
  await requireTrustworthy(session)
  expect(await setting()).toBe('on')
  await session.query('SET synchronous_commit = remote_apply')
  await requireTrustworthy(session)
  expect(await setting()).toBe('remote_apply')
  await session.close()
})

it('is looked at for the right to make its tables', async () => {
  expect(await look(asReader(), null)).toBe('the database user may not make tables in the schema mcpworks_state')
  await run('CREATE SCHEMA mcpworks_state AUTHORIZATION reader')
  expect(await look(asReader(), null)).toBe('plain')
})

it('takes no word from the environment', async () => {
  const wrong = { PGPASSWORD: 'x', PGHOST: 'x', PGSSLMODE: 'no-verify', PGOPTIONS: '-c fsync=off', PGUSER: 'x' }
  const before = { ...process.env }
  Object.assign(process.env, wrong)
  try {
    expect(await look(cluster.url(), fileOfServer('authority.pem', authority.certificate))).toBe('TLS')
    const other = fileOfServer('other.pem', createCertificateAuthority().certificate)
    expect(await look(cluster.url(), other)).toContain('CERT_SIGNATURE_FAILURE')
  } finally {
    for (const name of Object.keys(wrong)) delete process.env[name]
    Object.assign(process.env, before)
  }
})

function asReader(): string {
  const url = new URL(cluster.url())
  url.username = 'reader'
  url.password = 'reader'
  return url.href
}
