import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import { StateConnection, StateDriver } from '../state-driver.ts'
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
    return new StateDriver(() => new SessionConnection(this.#lease), 'BEGIN')
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

/** One session for as long as kysely has it: a transaction must not go on in another one that knows nothing of it. */
class SessionConnection extends StateConnection {
  readonly #lease: Pick<Lease, 'session'>
  #session: Session | null = null

  constructor(lease: Pick<Lease, 'session'>) {
    super()
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

  #held(): Session {
    this.#session ??= this.#lease.session()
    return this.#session
  }
}
