import type { SqlDialect } from './sql-tokens.ts'

/** Words that a statement begins with. */
export const statementVerbs = words(
  'abort alter analyze attach begin binlog cache call change check checksum clone close cluster comment commit copy ' +
    'create deallocate declare delete desc describe detach discard do drop end execute explain fetch flush get grant ' +
    'handler help import insert install kill listen load lock merge move notify optimize pragma prepare purge reassign ' +
    'refresh reindex release rename repair replace reset restart revoke rollback savepoint security select set show ' +
    'shutdown signal start table truncate uninstall unlisten unlock update use vacuum values with xa',
)
/** Those whose tables are all found. */
export const exactVerbs = words('select insert update delete merge replace values table truncate with')
/** Those that can stand inside another statement, with the effect that they have alone. */
export const innerVerbs = words('select insert update delete merge')
/** Those that only explain makes run: everything it is asked about. */
export const explainedVerbs = words('create execute declare refresh replace call')

/** Reserved in all dialects, so that no table is called so without quotes: they end the list of tables. */
export const listEnds = words('where group having order limit union select')
/** Reserved in all dialects: where one of these stands in the place of a table, something else was meant. */
export const noTable = words(
  'where group having order limit union select from join on using as and or not in is table into then else case when ' +
    'with null values',
)
/** Reserved in one dialect, with the same effect. */
export const listEndsOf: Readonly<Record<SqlDialect, ReadonlySet<string>>> = {
  postgresql: words('returning offset fetch window for'),
  mysql: new Set(),
  sqlite: new Set(),
}
/** Reserved, so that no function is called so without quotes. */
export const noFunction = words(
  'in exists not and or on using as from where having when then else case between values select distinct union ' +
    'limit all into with cast',
)
/** Reserved in one dialect, with the same effect. */
export const noFunctionOf: Readonly<Record<SqlDialect, ReadonlySet<string>>> = {
  postgresql: words('any some array lateral returning except intersect'),
  mysql: words('key index'),
  sqlite: words('except intersect'),
}
/** Functions with a FROM of their own between the brackets. */
export const fromInside = words('extract substring trim overlay')

/** Those that may stand between INSERT or REPLACE and INTO. */
export const beforeInto = words('low_priority delayed high_priority ignore or rollback abort replace fail')

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '))
}
