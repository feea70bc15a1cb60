import type { RunStore, StoredRun } from '../gateway/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Rows of one statement: five parameters each, and SQLite takes 32766 of them. */
const rowsAtOnce = 1000

/** Runs that hold labels in the state database. */
export class SqlRunStore implements RunStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<readonly StoredRun[]> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('runs').selectAll().orderBy('namespace').orderBy('principal_id')
      const rows = await query.execute()
      return rows.map((row) => ({
        namespace: row.namespace,
        principal: row.principal_id,
        id: row.id,
        labels: JSON.parse(row.labels_json) as string[],
        lastUsedMs: row.last_used_ms,
      }))
    })
  }

  save(runs: readonly StoredRun[]): Promise<void> {
    return withStateErrors(async () => {
      for (let start = 0; start < runs.length; start += rowsAtOnce) {
        await this.#database
          .insertInto('runs')
          .values(
            runs.slice(start, start + rowsAtOnce).map(({ namespace, principal, id, labels, lastUsedMs }) => ({
              namespace,
              principal_id: principal,
              id,
              labels_json: JSON.stringify(labels),
              last_used_ms: lastUsedMs,
            })),
          )
          .onConflict((conflict) =>
            conflict.columns(['namespace', 'principal_id']).doUpdateSet(({ ref }) => ({
              id: ref('excluded.id'),
              labels_json: ref('excluded.labels_json'),
              last_used_ms: ref('excluded.last_used_ms'),
            })),
          )
          .execute()
      }
    })
  }

  forgetBefore(timeMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('runs').where('last_used_ms', '<', Math.floor(timeMs)).execute()
    })
  }
}
