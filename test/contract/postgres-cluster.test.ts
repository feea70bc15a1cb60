import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { startPostgresCluster } from '../support/postgres-cluster.ts'
import { postgresDatabase } from '../support/postgres-database.ts'

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

it('gives every test a database of its own on a server that syncs', async () => {
  const [one, other] = [await connected(await postgresDatabase()), await connected(await postgresDatabase())]
  await one.query('CREATE TABLE here (value int)')
  expect((await other.query("SELECT to_regclass('here') AS found")).rows).toEqual([{ found: null }])
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    expect((await one.query(`SHOW ${setting}`)).rows).toEqual([{ [setting]: 'on' }])
  }
})

it('has what was committed after a crash, and asks for the password', async () => {
  const cluster = await startPostgresCluster({ listen: 'tcp' })
  onTestFinished(() => cluster.close())
  const client = await connected(cluster.url())
  await client.query('CREATE TABLE kept (value int)')
  await client.query('INSERT INTO kept VALUES (7)')
  await cluster.stop('crash')
  await expect(client.query('SELECT 1')).rejects.toThrow(/terminated|not queryable|closed/)
  await cluster.start()
  expect((await (await connected(cluster.url())).query('SELECT value FROM kept')).rows).toEqual([{ value: 7 }])
  const withoutPassword = new URL(cluster.url())
  withoutPassword.password = 'wrong'
  await expect(connected(withoutPassword.href)).rejects.toThrow('password authentication failed')
})
