import type { SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { StateConnection, StateDriver } from './state-driver.ts'
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
    const connection = new WorkerConnection(this.#client)
    return new StateDriver(() => connection, 'BEGIN IMMEDIATE')
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

class WorkerConnection extends StateConnection {
  readonly #client: WorkerClient

  constructor(client: WorkerClient) {
    super()
    this.#client = client
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.#client.query(query.sql, query.parameters as readonly SQLInputValue[])
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
  }

  async command(command: string): Promise<void> {
    await this.executeQuery(CompiledQuery.raw(command))
  }
}
