import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { Session } from '../../src/storage/postgres/session.ts'
import { startPostgresCluster, type PostgresCluster } from '../support/postgres-cluster.ts'
import { mcp, startTestApp, toolResult, type TestApp } from '../support/running-app.ts'
import { demoKey, mcpworks, spawnMcpworks, startServerProcess } from '../support/server-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let cluster: PostgresCluster
const masterKey = randomBytes(32).toString('base64url')
const top = { name: 'leads-top', arguments: { n: 1 } }

beforeAll(async () => {
  cluster = await startPostgresCluster()
})
afterAll(() => cluster.close())

const settings = () => ({
  'storage.masterKey': masterKey,
  'storage.database.url': cluster.url(),
  'storage.database.silentSeconds': '2',
})

async function health(url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/healthz`)
  return { status: response.status, body: await response.json() }
}

const asks = (url: string, key: string) => mcp(url, key, 'demo', 'tools/call', top)

/** A server in this process that stands by; `app` resolves once it is active. */
async function standby(): Promise<{ url: string; app: Promise<TestApp> }> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const dataDirectory = join(temporaryDirectory(), 'data')
  const app = startTestApp({ dataDirectory, settings: settings(), onStandby: ({ url }) => resolve(url) })
  return { url: await Promise.race([promise, app.then(() => '')]), app }
}

it('goes on in another server when the active one is killed, refuses while the database is gone, and gives way', async () => {
  await using first = await startServerProcess(join(temporaryDirectory(), 'data'), [], {
    MCPWORKS_STORAGE_DATABASE_URL: cluster.url(),
    MCPWORKS_STORAGE_MASTER_KEY: masterKey,
  })
  const key = demoKey(first, 'analyst')
  expect(toolResult((await asks(first.url, key)).message).isError).toBe(false)

  const second = await standby()
  expect(await health(second.url)).toEqual({ status: 503, body: { ok: false, refusing: ['standby'] } })
  expect((await asks(second.url, key)).status).toBe(503)
  expect(await health(first.url)).toEqual({ status: 200, body: { ok: true, refusing: [] } })

  await first.stop('SIGKILL')
  const took = await second.app
  onTestFinished(() => took.close())
  const { url } = took.app
  // What the first one stored is there: the agent, its key, the function and the policies.
  expect(toolResult((await asks(url, key)).message).isError).toBe(false)
  // And one log goes on: the first one's call is in it, before the second one's.
  const { records } = await took.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 100 })
  const tools = (records as { record: { pre: { target: { tool: string } } } }[]).map(
    ({ record }) => record.pre.target.tool,
  )
  expect(tools.filter((tool) => tool === 'leads-top')).toHaveLength(2)
  // And that the first one broke off is on record.
  const { records: starts } = await took.manage('platform', 'audit.tail', { namespace: 'platform', kind: 'start' })
  expect(starts).toMatchObject([
    { record: { event: { type: 'started', database: 'postgresql', before: null } } },
    { record: { event: { type: 'started', database: 'postgresql', before: { ended: 'broken' } } } },
  ])

  await cluster.stop('crash')
  await expect
    .poll(() => health(url))
    .toMatchObject({ status: 503, body: { refusing: expect.arrayContaining(['database']) } })
  expect(await asks(url, key)).toMatchObject({ status: 503, message: { error: { code: 'storage_unavailable' } } })
  await expect(took.manage('demo', 'agent.list', { namespace: 'demo' })).rejects.toThrow('audit_unavailable')
  await cluster.start()
  await expect.poll(() => health(url)).toEqual({ status: 200, body: { ok: true, refusing: [] } })
  expect(toolResult((await asks(url, key)).message).isError).toBe(false)

  // Silence is as good as absence.
  cluster.freeze()
  onTestFinished(() => cluster.thaw())
  await expect.poll(() => health(url)).toMatchObject({ status: 503 })
  expect((await asks(url, key)).status).toBe(503)
  cluster.thaw()
  await expect.poll(() => health(url)).toEqual({ status: 200, body: { ok: true, refusing: [] } })
})

it('waits as a command that can be stopped, and ends with a word when another server has taken over', async () => {
  const env = { MCPWORKS_STORAGE_DATABASE_URL: cluster.url(), MCPWORKS_STORAGE_MASTER_KEY: masterKey }
  await using active = await startServerProcess(join(temporaryDirectory(), 'data'), ['--no-demo'], env)
  let said = ''
  active.child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
  const waiting = spawnMcpworks(['--data-directory', join(temporaryDirectory(), 'data'), 'up', '--port', '0'], env)
  onTestFinished(() => void waiting.kill('SIGKILL'))
  const lines = createInterface({ input: waiting.stderr })
  for await (const line of lines) if (line.startsWith('Standing by at http://127.0.0.1:')) break
  waiting.kill('SIGTERM')
  expect(await once(waiting, 'close')).toEqual([0, null])

  const database = { url: cluster.url(), caFile: null }
  const other = await Session.open({ database, applicationName: 'test' })
  onTestFinished(() => other.close())
  await other.query("UPDATE mcpworks_state.server_lease SET epoch = epoch + 1, host = 'elsewhere'")
  const ended = once(active.child, 'close')
  await other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mcpworks state'")
  expect(await ended).toEqual([1, null])
  expect(said).toContain('The server on elsewhere has taken over the database')
})

it('says what is wrong with the database before it listens, and never the password', async () => {
  const url = new URL(cluster.url('nowhere'))
  const env = (text: string) => ({ MCPWORKS_STORAGE_DATABASE_URL: text, MCPWORKS_STORAGE_MASTER_KEY: masterKey })
  const up = (text: string, ...more: string[]) =>
    mcpworks([...more, '--data-directory', join(temporaryDirectory(), 'data'), 'up', '--port', '0'], env(text))
  const missing = await up(url.href)
  expect(missing.stderr).toContain('there is no such database')
  url.password = 'wr0ng-passw0rd'
  const refused = await up(url.href, '--json')
  expect(refused.stdout).toContain('does not let this user in (28P01)')
  const misspelt = await up('postgres://works:wr0ng-passw0rd@db.example.org/state?sslmode=disable')
  expect(misspelt.stderr).toContain('storage.database.url: must be only host, port and user')
  const shown = await mcpworks(['config', 'show'], env(url.href))
  expect(shown.stdout).toContain('storage.database')
  for (const { stdout, stderr } of [missing, refused, misspelt, shown]) {
    expect(stdout + stderr).not.toContain('wr0ng-passw0rd')
    expect(stdout + stderr).not.toContain(new URL(cluster.url()).password)
  }
  expect([missing.code, refused.code, misspelt.code]).toEqual([1, 1, 2])
})
