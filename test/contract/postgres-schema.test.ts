import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { migrateSchema } from '../../src/storage/postgres/migrate-schema.ts'
import { Session } from '../../src/storage/postgres/session.ts'
import { postgresStateMigrations } from '../../src/storage/postgres/state-migrations.ts'
import { stateMigrations } from '../../src/storage/state-migrations.ts'
import { postgresDatabase } from '../support/postgres-database.ts'

/** What a database ends in: a line for each column, and one for each index, key and reference. */
interface Shape {
  readonly columns: string[]
  readonly keys: string[]
}

const kinds: Readonly<Record<string, string>> = { INTEGER: 'number', TEXT: 'text', BLOB: 'bytes' }
const postgresKinds: Readonly<Record<string, string>> = { bigint: 'number', text: 'text', bytea: 'bytes' }

/** PostgreSQL writes the conditions of partial indexes in words of its own. */
function withoutCondition(index: string): string {
  return index.replace(/\s+where .*/i, ' partial').toLowerCase()
}

function sqliteShape(): Shape {
  const database = new DatabaseSync(':memory:')
  for (const script of stateMigrations) database.exec(script)
  const all = (sql: string, ...parameters: string[]) => database.prepare(sql).all(...parameters)
  const tables = all("SELECT name FROM sqlite_schema WHERE type = 'table'").map(({ name }) => String(name))
  const columns = tables.flatMap((table) =>
    all('SELECT name, type, "notnull", pk, dflt_value FROM pragma_table_info(?)', table).map(
      ({ name, type, notnull, pk, dflt_value }) =>
        `${table}.${String(name)} ${kinds[String(type)]}${notnull === 1 || Number(pk) > 0 ? ' required' : ''} ${String(dflt_value ?? '')}`,
    ),
  )
  const keys = tables.flatMap((table) => {
    const primary = all('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', table)
    const unique = all("SELECT name FROM pragma_index_list(?) WHERE origin = 'u'", table).map(({ name }) =>
      all('SELECT name FROM pragma_index_info(?) ORDER BY seqno', String(name)),
    )
    const references = all('SELECT DISTINCT id, "table" FROM pragma_foreign_key_list(?)', table)
    return [
      `${table} primary ${primary.map(({ name }) => name).join()}`,
      ...unique.map((names) => `${table} unique ${names.map(({ name }) => name).join()}`),
      ...references.map((row) => `${table} references ${String(row['table'])}`),
    ]
  })
  const indexes = all("SELECT sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").map(({ sql }) =>
    withoutCondition(String(sql)),
  )
  database.close()
  return { columns: columns.toSorted(), keys: [...keys, ...indexes].toSorted() }
}

async function postgresShape(session: Session): Promise<Shape> {
  const ours = "nspname = 'mcpworks_state' AND relname NOT IN ('server_lease', 'schema_version')"
  const columns = await session.query(
    `SELECT relname AS table, attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
       coalesce(replace(pg_get_expr(adbin, adrelid), '::text', ''), '') AS fallback, collname AS collation
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
       LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       LEFT JOIN pg_collation ON pg_collation.oid = attcollation
     WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped AND ${ours}`,
  )
  for (const { table, name, type, collation } of columns.rows) {
    expect(`${String(table)}.${String(name)} ${type === 'text' ? String(collation) : 'C'}`).toMatch(/ C$/)
  }
  const constraints = await session.query(
    `SELECT relname AS table, contype AS type, confrelid::regclass::text AS referenced,
       (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
         JOIN pg_attribute ON attrelid = conrelid AND attnum = number) AS columns
     FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE contype IN ('p', 'u', 'f') AND ${ours}`,
  )
  const indexes = await session.query(
    `SELECT pg_get_indexdef(indexrelid) AS sql FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
       JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE ${ours} AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))`,
  )
  return {
    columns: columns.rows
      .map(
        ({ table, name, type, required, fallback }) =>
          `${String(table)}.${String(name)} ${postgresKinds[String(type)]}${required === true ? ' required' : ''} ${String(fallback)}`,
      )
      .toSorted(),
    keys: [
      ...constraints.rows.map(({ table, type, referenced, columns: names }) => {
        if (type === 'f') return `${String(table)} references ${String(referenced).replace(/^mcpworks_state\./, '')}`
        return `${String(table)} ${type === 'p' ? 'primary' : 'unique'} ${String(names)}`
      }),
      ...indexes.rows.map(({ sql }) =>
        withoutCondition(String(sql).replace('mcpworks_state.', '').replace(' USING btree', '')),
      ),
    ].toSorted(),
  }
}

it('ends in the same tables, columns, keys and indexes as SQLite', async () => {
  const session = await openSession()
  await migrateSchema(session, 'mcpworks_state', postgresStateMigrations)
  const [sqlite, postgres] = [sqliteShape(), await postgresShape(session)]
  expect(postgres.columns).toEqual(sqlite.columns)
  expect(postgres.keys).toEqual(sqlite.keys)
  expect(sqlite.columns.length).toBeGreaterThan(150)
  expect(sqlite.keys.length).toBeGreaterThan(40)
  // A difference would show.
  await session.query('ALTER TABLE runs DROP COLUMN labels_json; DROP INDEX approvals_by_status')
  const changed = await postgresShape(session)
  expect(sqlite.columns.filter((line) => !changed.columns.includes(line))).toEqual(['runs.labels_json text required '])
  expect(sqlite.keys.filter((line) => !changed.keys.includes(line))).toEqual([
    'create index approvals_by_status on approvals (namespace, status)',
  ])
})

it('is brought up to date step by step, once, and a step that fails leaves nothing of itself', async () => {
  const session = await openSession()
  const first = 'CREATE TABLE one (id TEXT)'
  await migrateSchema(session, 'mcpworks_state', [first])
  await expect(
    migrateSchema(session, 'mcpworks_state', [first, 'CREATE TABLE two (id TEXT); SELECT nonsense']),
  ).rejects.toMatchObject({ sqlState: '42703' })
  await migrateSchema(session, 'mcpworks_state', [first, 'CREATE TABLE two (id TEXT)'])
  await migrateSchema(session, 'mcpworks_state', [first, 'CREATE TABLE two (id TEXT)'])
  const { rows } = await session.query('SELECT version FROM mcpworks_state.schema_version')
  expect(rows).toEqual([{ version: 2 }])
  await expect(migrateSchema(session, 'mcpworks_state', [first])).rejects.toThrow('newer version')
})

async function openSession(): Promise<Session> {
  const session = await Session.open({
    database: { url: await postgresDatabase(), caFile: null },
    applicationName: 'test',
    settings: { search_path: 'mcpworks_state,pg_temp' },
  })
  onTestFinished(() => session.close())
  return session
}
