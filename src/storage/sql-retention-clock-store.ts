import type { RetentionClockStore } from '../audit/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** The time that retention has counted up to, in the one row of its table in the state database. */
export class SqlRetentionClockStore implements RetentionClockStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  find(): Promise<number | null> {
    return withStateErrors(async () => {
      const row = await this.#database.selectFrom('retention_clock').select('time_ms').executeTakeFirst()
      return row === undefined ? null : row.time_ms
    })
  }

  keep(timeMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('retention_clock')
        .values({ one: 1, time_ms: timeMs })
        .onConflict((conflict) => conflict.column('one').doUpdateSet({ time_ms: timeMs }))
        .execute()
    })
  }
}
