import type { ClosureStore, NamespaceClosure } from '../auth/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Closures of namespaces in the state database. */
export class SqlClosureStore implements ClosureStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<NamespaceClosure[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('namespace_closures').selectAll().orderBy('scope').execute()
      return rows.map((row) => ({
        namespace: row.scope === '' ? null : row.scope,
        closedAtMs: row.closed_at_ms,
        closedBy: row.closed_by,
        reason: row.reason,
      }))
    })
  }

  insert({ namespace, closedAtMs, closedBy, reason }: NamespaceClosure): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('namespace_closures')
        .values({ scope: namespace ?? '', closed_at_ms: closedAtMs, closed_by: closedBy, reason })
        .onConflict((conflict) => conflict.column('scope').doNothing())
        .execute()
    })
  }

  remove(namespace: string | null): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .deleteFrom('namespace_closures')
        .where('scope', '=', namespace ?? '')
        .execute()
    })
  }
}
