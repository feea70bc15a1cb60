import { Kysely } from 'kysely'
import type { SearchQuery } from '../../src/audit/index.ts'
import type { AuditTables } from '../../src/storage/audit-tables.ts'
import { readableDialect } from '../../src/storage/readable-dialect.ts'
import { SqliteLogRows } from '../../src/storage/search/log-rows.ts'
import { searchLog } from '../../src/storage/search/search-log.ts'
import { SearchIndex } from '../../src/storage/search/search-index.ts'
import type { SearchTables } from '../../src/storage/search/search-tables.ts'
import { termNumbers } from '../../src/storage/search/term-numbers.ts'
import { openReadable } from '../../src/storage/sqlite-database.ts'

/** Every statement that searches run, in the form `statement\n  plan\n  plan`, each once. */
export async function queryPlans(
  auditPath: string,
  searchPath: string,
  queries: readonly SearchQuery[],
): Promise<string[]> {
  const plans = new Map<string, string[]>()
  const open = <Tables>(path: string): Kysely<Tables> => {
    const connection = openReadable(path)
    return new Kysely<Tables>({
      dialect: readableDialect(connection),
      log({ query: { sql, parameters } }) {
        // How many values a list has makes no other plan.
        const statement = sql.replaceAll(/in \(\?(?:, \?)*\)/g, 'in (?, ...)')
        if (plans.has(statement)) return
        const rows = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as (string | number)[]))
        plans.set(
          statement,
          rows.map((row) => String(row['detail'])),
        )
      },
    })
  }
  const log = open<AuditTables>(auditPath)
  const database = open<SearchTables>(searchPath)
  const seed = await database.selectFrom('search_meta').select('value').where('name', '=', 'seed').executeTakeFirst()
  const parts = {
    rows: new SqliteLogRows(log),
    index: new SearchIndex(database),
    numberOf: termNumbers(seed?.value ?? ''),
  }
  for (const query of queries) await searchLog(query, parts)
  await parts.rows.written()
  await log.destroy()
  await database.destroy()
  return [...plans].map(([statement, plan]) => [statement, ...plan.map((step) => `  ${step}`)].join('\n'))
}
