import type { LogPositionStore } from '../audit/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Positions of the log's readers in the state database. */
export class SqlLogPositionStore implements LogPositionStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  find(reader: string): Promise<string | null> {
    return withStateErrors(async () => {
      const row = await this.#database
        .selectFrom('log_positions')
        .select('record_id')
        .where('reader', '=', reader)
        .executeTakeFirst()
      return row?.record_id ?? null
    })
  }

  keep(reader: string, recordId: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('log_positions')
        .values({ reader, record_id: recordId })
        .onConflict((conflict) => conflict.column('reader').doUpdateSet({ record_id: recordId }))
        .execute()
    })
  }
}
