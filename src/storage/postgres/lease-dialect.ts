import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { DatabaseError } from './database-failure.ts'
import type { Lease } from './lease.ts'
import type { Session } from './session.ts'

/**
 * A kysely dialect whose statements run in the session that holds the lease. There is one connection, as in SQLite: kysely
 * queues on it, so that what the stores do keeps its order, and a statement comes between those of no transaction.
 */
export class LeaseDialect implements Dialect {
  readonly #lease: Pick<Lease, 'session'>

  constructor(lease: Pick<Lease, 'session'>) {
    this.#lease = lease
  }

  createDriver(): Driver {
    return new LeaseDriver(this.#lease)
  }

  createQueryCompiler(): PostgresQueryCompiler {
    return new PostgresQueryCompiler()
  }

  createAdapter(): PostgresAdapter {
    return new OneConnectionAdapter()
  }

  createIntrospector(database: Kysely<unknown>): PostgresIntrospector {
    return new PostgresIntrospector(database)
  }
}

class OneConnectionAdapter extends PostgresAdapter {
  override get supportsMultipleConnections(): boolean {
    return false
  }
}

class LeaseDriver implements Driver {
  readonly #lease: Pick<Lease, 'session'>

  constructor(lease: Pick<Lease, 'session'>) {
    this.#lease = lease
  }

  async init(): Promise<void> {}

  /** Never throws, because kysely would keep its queue locked for ever. */
  async acquireConnection(): Promise<DatabaseConnection> {
    return new SessionConnection(this.#lease)
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'BEGIN')
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'COMMIT')
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await run(connection, 'ROLLBACK')
  }

  async releaseConnection(): Promise<void> {}

  /** The lease belongs to the storage, not to kysely. */
  async destroy(): Promise<void> {}
}

async function run(connection: DatabaseConnection, command: string): Promise<void> {
  await (connection as SessionConnection).command(command)
}

/** One session for as long as kysely has it: a transaction must not go on in another one that knows nothing of it. */
class SessionConnection implements DatabaseConnection {
  readonly #lease: Pick<Lease, 'session'>
  #session: Session | null = null

  constructor(lease: Pick<Lease, 'session'>) {
    this.#lease = lease
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.#held().query(query.sql, query.parameters)
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
  }

  async command(command: string): Promise<void> {
    const done = await this.#held().query(command)
    if (done.command !== command) throw new DatabaseError(null, `the database answered ${command} with ${done.command}`)
  }

  // eslint-disable-next-line require-yield -- the interface asks for a generator; there is nothing to stream here
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('the state database does not stream')
  }

  #held(): Session {
    this.#session ??= this.#lease.session()
    return this.#session
  }
}
