import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { foldLog } from './sqlite-database.ts'
import { isInputOutputError } from './sqlite-failure.ts'
import type { QueryResult } from './worker-protocol.ts'

const keptStatements = 200

/** Runs the statements that kysely compiled, keeping the prepared ones. */
export class StateExecutor {
  readonly #open: () => DatabaseSync
  readonly #prepared = new Map<string, { statement: StatementSync; returnsRows: boolean }>()
  #database: DatabaseSync | null

  /** @throws what `open` throws */
  constructor(open: () => DatabaseSync) {
    this.#open = open
    this.#database = open()
  }

  /** After an error of the disk the database is opened anew before the next statement. @throws SQLite's own errors */
  execute(sql: string, parameters: readonly SQLInputValue[]): QueryResult {
    try {
      const { statement, returnsRows } = this.#prepare(sql)
      if (returnsRows) return { rows: statement.all(...parameters).map((row) => ({ ...row })), changes: 0 }
      return { rows: [], changes: Number(statement.run(...parameters).changes) }
    } catch (error) {
      if (isInputOutputError(error)) this.close()
      throw error
    }
  }

  close(): void {
    const database = this.#database
    this.#database = null
    this.#prepared.clear()
    database?.close()
  }

  #prepare(sql: string) {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    if (this.#prepared.size >= keptStatements) this.#prepared.clear()
    const statement = this.#connection().prepare(sql)
    const made = { statement, returnsRows: statement.columns().length > 0 }
    this.#prepared.set(sql, made)
    return made
  }

  #connection(): DatabaseSync {
    if (this.#database !== null) return this.#database
    const database = this.#open()
    try {
      foldLog(database)
    } catch (error) {
      database.close()
      throw error
    }
    this.#database = database
    return database
  }
}
