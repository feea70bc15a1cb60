import type { SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import type { WorkerClient } from './worker-client.ts'

/**
 * A kysely dialect whose statements run in the storage worker, so that the stores are written once and the main thread
 * never waits for a disk. There is one connection; kysely queues on it, because the adapter says so.
 */
export class WorkerDialect implements Dialect {
  readonly #client: WorkerClient

  constructor(client: WorkerClient) {
    this.#client = client
  }

  createDriver(): Driver {
    return new WorkerDriver(this.#client)
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): SqliteAdapter {
    return new SqliteAdapter()
  }

  createIntrospector(database: Kysely<unknown>): SqliteIntrospector {
    return new SqliteIntrospector(database)
  }
}

class WorkerDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(client: WorkerClient) {
    this.#connection = new WorkerConnection(client)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('BEGIN IMMEDIATE'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('COMMIT'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('ROLLBACK'))
  }

  async releaseConnection(): Promise<void> {}

  /** The worker belongs to the storage, not to kysely. */
  async destroy(): Promise<void> {}
}

class WorkerConnection implements DatabaseConnection {
  readonly #client: WorkerClient

  constructor(client: WorkerClient) {
    this.#client = client
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.#client.query(query.sql, query.parameters as readonly SQLInputValue[])
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
  }

  // eslint-disable-next-line require-yield -- the interface asks for a generator; there is nothing to stream here
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('the state database does not stream')
  }
}
