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
  const { url, drop } = await createDatabase()
  onTestFinished(drop)
  return url
}

/**
 * A database with everything that another one has, to which nobody is connected; gone when the running test is.
 * @returns its URL, for a superuser, with the password
 */
export async function copiedPostgresDatabase(original: string): Promise<string> {
  const { url, drop } = await createDatabase(new URL(original).pathname.slice(1))
  onTestFinished(drop)
  return url
}

/** Databases that no running test uses, emptied. To make one takes longer than most tests do. */
const unused: string[] = []

/**
 * A database with the product's tables, but nothing in them, or none at all. Another test gets it when the running one is
 * over: for tests that leave tables and settings as they are.
 * @returns its URL, for a superuser, with the password
 */
export async function reusedPostgresDatabase(): Promise<string> {
  const url = unused.pop() ?? (await createDatabase()).url
  onTestFinished(async () => {
    await runOnServer(url, emptyAllTables)
    unused.push(url)
  })
  return url
}

/** Ends what a test may have left, and leaves nothing but the number that says how far the tables are. */
const emptyAllTables = `
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET session_replication_role = replica;
  DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
      WHERE schemaname LIKE 'mcpworks%' AND tablename <> 'schema_version'
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
  END $$;`

async function createDatabase(template = 'template1'): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const server = await sharedServer()
  const name = `test_${randomBytes(8).toString('hex')}`
  await runOnServer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => runOnServer(server, `DROP DATABASE ${name} WITH (FORCE)`) }
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
