import { hash } from 'node:crypto'
import type { UsedAssertions } from '../auth/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Assertions that were used, by hash; those that have expired go with the next one that comes. */
export class SqlUsedAssertions implements UsedAssertions {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  claim(issuer: string, id: string, untilMs: number, nowMs: number): Promise<boolean> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('used_assertions').where('until_ms', '<', nowMs).execute()
      const result = await this.#database
        .insertInto('used_assertions')
        .values({ id_hash: hash('sha256', JSON.stringify([issuer, id]), 'hex'), until_ms: untilMs })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    })
  }
}
