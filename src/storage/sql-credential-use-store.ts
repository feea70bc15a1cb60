import { sql } from 'kysely'
import type { CredentialUseStore } from '../auth/index.ts'
import { larger } from './sql-order.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Rows of one statement: two parameters each, and SQLite takes 32766 of them. */
const rowsAtOnce = 1000

/** Last uses of credentials in the state database. */
export class SqlCredentialUseStore implements CredentialUseStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<ReadonlyMap<string, number>> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('credential_uses').selectAll().execute()
      return new Map(rows.map((row) => [row.credential_id, row.last_used_at_ms]))
    })
  }

  write(uses: ReadonlyMap<string, number>): Promise<void> {
    return withStateErrors(async () => {
      const rows = [...uses].map(([credential_id, last_used_at_ms]) => ({ credential_id, last_used_at_ms }))
      for (let start = 0; start < rows.length; start += rowsAtOnce) {
        await this.#database
          .insertInto('credential_uses')
          .values(rows.slice(start, start + rowsAtOnce))
          .onConflict((conflict) =>
            conflict.column('credential_id').doUpdateSet({
              last_used_at_ms: larger(sql.ref('credential_uses.last_used_at_ms'), sql.ref('excluded.last_used_at_ms')),
            }),
          )
          .execute()
      }
    })
  }
}
