import type { KeptDays, RecordingSettings, RecordingStore } from '../audit/index.ts'
import type { BodyLevel } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** What namespaces say about their records, in the state database. */
export class SqlRecordingStore implements RecordingStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<RecordingSettings[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('recording_settings').selectAll().orderBy('namespace').execute()
      return rows.map((row) => ({
        namespace: row.namespace,
        level: row.level as BodyLevel | null,
        bodyDays: daysOf(row.body_days),
        recordDays: daysOf(row.record_days),
      }))
    })
  }

  put({ namespace, level, bodyDays, recordDays }: RecordingSettings): Promise<void> {
    const values = { level, body_days: storedDays(bodyDays), record_days: storedDays(recordDays) }
    return withStateErrors(async () => {
      await this.#database
        .insertInto('recording_settings')
        .values({ namespace, ...values })
        .onConflict((conflict) => conflict.column('namespace').doUpdateSet(values))
        .execute()
    })
  }
}

function daysOf(stored: number | null): KeptDays | null {
  return stored === 0 ? 'forever' : stored
}

function storedDays(days: KeptDays | null): number | null {
  return days === 'forever' ? 0 : days
}
