import type { NamespaceStore, StoredNamespace } from './namespace-store.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Namespaces in the state database. */
export class SqlNamespaceStore implements NamespaceStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<StoredNamespace[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('namespaces').selectAll().orderBy('name').execute()
      return rows.map((row) => ({ name: row.name, createdAtMs: row.created_at_ms, createdBy: row.created_by }))
    })
  }

  insert(namespace: StoredNamespace): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('namespaces')
        .values({ name: namespace.name, created_at_ms: namespace.createdAtMs, created_by: namespace.createdBy })
        .execute()
    })
  }
}
