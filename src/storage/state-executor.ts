import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { QueryResult } from './worker-protocol.ts'

const keptStatements = 200

/** Runs the statements that kysely compiled, keeping the prepared ones. @throws SQLite's own errors */
export class StateExecutor {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, { statement: StatementSync; returnsRows: boolean }>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  execute(sql: string, parameters: readonly SQLInputValue[]): QueryResult {
    const { statement, returnsRows } = this.#prepare(sql)
    if (returnsRows) return { rows: statement.all(...parameters).map((row) => ({ ...row })), changes: 0 }
    return { rows: [], changes: Number(statement.run(...parameters).changes) }
  }

  #prepare(sql: string) {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    if (this.#prepared.size >= keptStatements) this.#prepared.clear()
    const statement = this.#database.prepare(sql)
    const made = { statement, returnsRows: statement.columns().length > 0 }
    this.#prepared.set(sql, made)
    return made
  }
}
