import type { CosignatureStore, StoredCosignature } from '../audit/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** How many are kept of one witness and tree. A later checkpoint says what those before it do, and more. */
const kept = 16

/** Cosignatures of checkpoints in the state database. */
export class SqlCosignatureStore implements CosignatureStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  add({ namespace, period, size, witness, timeSeconds, line }: StoredCosignature): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('cosignatures')
        .values({ namespace, period, size, witness, time_s: timeSeconds, line })
        .onConflict((conflict) =>
          conflict.columns(['namespace', 'period', 'witness', 'size']).doUpdateSet({ time_s: timeSeconds, line }),
        )
        .execute()
      const tree = this.#database
        .selectFrom('cosignatures')
        .select('size')
        .where('namespace', '=', namespace)
        .where('period', '=', period)
        .where('witness', '=', witness)
      const oldest = await tree.orderBy('size', 'desc').offset(kept).limit(1).executeTakeFirst()
      if (oldest === undefined) return
      await this.#database
        .deleteFrom('cosignatures')
        .where('namespace', '=', namespace)
        .where('period', '=', period)
        .where('witness', '=', witness)
        .where('size', '<=', oldest.size)
        .execute()
    })
  }

  list(namespace: string, period: string): Promise<StoredCosignature[]> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('cosignatures')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('period', '=', period)
        .orderBy('size', 'desc')
        .orderBy('witness')
        .execute()
      return rows.map(({ size, witness, time_s: timeSeconds, line }) => ({
        namespace,
        period,
        size,
        witness,
        timeSeconds,
        line,
      }))
    })
  }
}
