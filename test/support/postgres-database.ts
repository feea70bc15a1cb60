import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { inject, onTestFinished } from 'vitest'

/**
 * A new, empty database on the PostgreSQL server that all tests of a run share; gone when the running test is.
 * Advisory locks and settings made with ALTER DATABASE are the database's own. To stop the server, start another one:
 * `startPostgresCluster`.
 * @returns its URL, for a superuser, with the password
 */
export async function postgresDatabase(): Promise<string> {
  const server = await sharedServer()
  const name = `test_${randomBytes(8).toString('hex')}`
  await runOnServer(server, `CREATE DATABASE ${name}`)
  onTestFinished(() => runOnServer(server, `DROP DATABASE ${name} WITH (FORCE)`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function sharedServer(): Promise<string> {
  const answer = JSON.parse(await text(connect(inject('postgresOffer')))) as { url?: string; problem?: string }
  if (answer.url === undefined) throw new Error(answer.problem)
  return answer.url
}

async function runOnServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
