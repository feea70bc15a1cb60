import { sql } from 'kysely'
import type { Usage, UsageHolder, UsageStore } from '../auth/index.ts'
import { smaller } from './sql-order.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Rows of one statement: five parameters each, and SQLite takes 32766 of them. */
const rowsAtOnce = 1000

/** Use by day in the state database. */
export class SqlUsageStore implements UsageStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(day: string): Promise<readonly (UsageHolder & Usage)[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('daily_usage').selectAll().where('day', '=', day).execute()
      return rows.map((row) => ({ kind: row.holder_kind, id: row.holder_id, calls: row.calls, bytesIn: row.bytes_in }))
    })
  }

  add(day: string, uses: readonly (UsageHolder & Usage)[]): Promise<void> {
    return withStateErrors(async () => {
      const most = sql.lit(Number.MAX_SAFE_INTEGER)
      for (let start = 0; start < uses.length; start += rowsAtOnce) {
        await this.#database
          .insertInto('daily_usage')
          .values(
            uses.slice(start, start + rowsAtOnce).map(({ kind, id, calls, bytesIn }) => ({
              day,
              holder_kind: kind,
              holder_id: id,
              calls,
              bytes_in: bytesIn,
            })),
          )
          .onConflict((conflict) =>
            conflict.columns(['day', 'holder_kind', 'holder_id']).doUpdateSet({
              calls: smaller(sql`daily_usage.calls + excluded.calls`, most),
              bytes_in: smaller(sql`daily_usage.bytes_in + excluded.bytes_in`, most),
            }),
          )
          .execute()
      }
    })
  }

  forgetBefore(day: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('daily_usage').where('day', '<', day).execute()
    })
  }
}
