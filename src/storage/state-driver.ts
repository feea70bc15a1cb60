import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'

/** The way to the state database, as kysely uses it. */
export abstract class StateConnection implements DatabaseConnection {
  abstract executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>>

  /** Runs what begins or ends a transaction. Rejects where the database did something else. */
  abstract command(command: string): Promise<void>

  // eslint-disable-next-line require-yield -- the interface asks for a generator; there is nothing to stream here
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('the state database does not stream')
  }
}

/** A kysely driver over what belongs to the storage and not to kysely: it closes nothing. */
export class StateDriver implements Driver {
  readonly #connect: () => StateConnection
  readonly #begin: string

  /** `connect` must not throw, because kysely would keep its queue locked for ever. */
  constructor(connect: () => StateConnection, begin: 'BEGIN' | 'BEGIN IMMEDIATE') {
    this.#connect = connect
    this.#begin = begin
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connect()
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, this.#begin)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'COMMIT')
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'ROLLBACK')
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

/** kysely hands back the connections that `connect` made. */
async function run(connection: DatabaseConnection, command: string): Promise<void> {
  await (connection as StateConnection).command(command)
}
