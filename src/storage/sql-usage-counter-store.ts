import type { UsageCounterState, UsageCounterStore, UsageKey, UsageMark } from '../gateway/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'
import type { StateTables } from './state-tables.ts'

/** Rows of one statement: nine parameters each, and SQLite takes 32766 of them. */
const rowsAtOnce = 1000

/** The use of a principal in all: no type and no name is empty. */
const inAll = ''

/** Counters of use in the state database. */
export class SqlUsageCounterStore implements UsageCounterStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(fromDay: number, limit: number): Promise<readonly UsageCounterState[]> {
    return withStateErrors(async () => {
      const select = this.#database.selectFrom('usage_counters').selectAll().where('day', '>=', fromDay).limit(limit)
      return (await select.execute()).map(stateOf)
    })
  }

  find({ namespace, principal, target }: UsageKey): Promise<readonly UsageCounterState[]> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('usage_counters')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('principal_id', '=', principal)
        .where('target', 'in', [inAll, target])
        .execute()
      return rows.map(stateOf)
    })
  }

  marks(): Promise<readonly UsageMark[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('usage_marks').selectAll().execute()
      return rows.map((row) => ({ namespace: row.namespace, throughIndex: row.through_index, atMs: row.at_ms }))
    })
  }

  save(counters: readonly UsageCounterState[], marks: readonly UsageMark[]): Promise<void> {
    return withStateErrors(async () => {
      for (let start = 0; start < counters.length; start += rowsAtOnce) {
        await this.#database
          .insertInto('usage_counters')
          .values(counters.slice(start, start + rowsAtOnce).map(rowOf))
          .onConflict((conflict) =>
            conflict.columns(['namespace', 'principal_id', 'target']).doUpdateSet(({ ref }) => ({
              day: ref('excluded.day'),
              calls: ref('excluded.calls'),
              bytes_out: ref('excluded.bytes_out'),
              spend: ref('excluded.spend'),
              minute_json: ref('excluded.minute_json'),
              through_index: ref('excluded.through_index'),
            })),
          )
          .execute()
      }
      for (let start = 0; start < marks.length; start += rowsAtOnce) {
        await this.#database
          .insertInto('usage_marks')
          .values(
            marks
              .slice(start, start + rowsAtOnce)
              .map(({ namespace, throughIndex, atMs }) => ({ namespace, through_index: throughIndex, at_ms: atMs })),
          )
          .onConflict((conflict) =>
            conflict.column('namespace').doUpdateSet(({ ref }) => ({
              through_index: ref('excluded.through_index'),
              at_ms: ref('excluded.at_ms'),
            })),
          )
          .execute()
      }
    })
  }

  forgetBefore(day: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('usage_counters').where('day', '<', day).execute()
    })
  }
}

function rowOf(state: UsageCounterState): StateTables['usage_counters'] {
  return {
    namespace: state.namespace,
    principal_id: state.principal,
    target: state.target ?? inAll,
    day: state.day,
    calls: state.calls,
    bytes_out: state.bytesOut,
    spend: state.spend,
    minute_json: JSON.stringify(state.minute),
    through_index: state.throughIndex,
  }
}

function stateOf(row: StateTables['usage_counters']): UsageCounterState {
  return {
    namespace: row.namespace,
    principal: row.principal_id,
    target: row.target === inAll ? null : row.target,
    day: row.day,
    calls: row.calls,
    bytesOut: row.bytes_out,
    spend: row.spend,
    minute: JSON.parse(row.minute_json) as UsageCounterState['minute'],
    throughIndex: row.through_index,
  }
}
