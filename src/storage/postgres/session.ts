import pg from 'pg'
import { databaseError, DatabaseError } from './database-failure.ts'
import { clientConfig, type DatabaseOptions } from './database-options.ts'

/** Rows of a statement, and how many it changed. */
export interface SessionResult {
  readonly rows: Record<string, unknown>[]
  readonly changes: number
  /** What was done, which is not always what was asked for: COMMIT of a failed transaction is answered ROLLBACK. */
  readonly command: string
}

/** What a session is opened with. */
export interface SessionOptions {
  readonly database: DatabaseOptions
  /** What the database's own views show this session as. */
  readonly applicationName: string
  /** Parameters of the session, as `search_path`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Less than what is usual, for who cannot wait so long. */
  readonly connectTimeoutMs?: number
}

/** Commands whose count of rows is a count of changes; of the others it counts what was read. */
const changing: ReadonlySet<string> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

/**
 * One session of a PostgreSQL server: statements run one after the other, in the order in which they were asked for.
 * It is never opened anew by itself: locks and transactions of a session end with it, and who uses them must know.
 */
export class Session {
  readonly #client: pg.Client
  readonly #onEnd: ((reason: string) => void)[] = []
  #tail: Promise<unknown> = Promise.resolve()
  #ended: string | null = null

  private constructor(client: pg.Client) {
    this.#client = client
    client.on('error', (error) => this.#end(databaseError(error).message))
    client.on('end', () => this.#end('the connection to the database was closed'))
  }

  /** Connects. @throws DatabaseError; McpworksError `config_invalid` */
  static async open({ database, applicationName, settings = {}, connectTimeoutMs }: SessionOptions): Promise<Session> {
    const config = clientConfig(database, applicationName, settings)
    const connectionTimeoutMillis = Math.min(connectTimeoutMs ?? Infinity, config.connectionTimeoutMillis ?? Infinity)
    const client = new pg.Client({
      ...config,
      connectionTimeoutMillis,
      types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
    })
    const session = new Session(client)
    try {
      await client.connect()
    } catch (cause) {
      client.end().catch(() => {})
      throw databaseError(cause)
    }
    return session
  }

  /** Why it is over, `null` while it is not. */
  get ended(): string | null {
    return this.#ended
  }

  /** Runs one statement; without parameters it may be a script of several. @throws DatabaseError */
  query(sql: string, parameters: readonly unknown[] = []): Promise<SessionResult> {
    return this.#inTurn(() => this.#run(sql, parameters))
  }

  /** Runs a statement that the server plans once for the session. A name belongs to one text. @throws DatabaseError */
  prepared(name: string, sql: string, parameters: readonly unknown[]): Promise<SessionResult> {
    return this.#inTurn(() => this.#run(sql, parameters, name))
  }

  /** Is told once, when the session is over, however that came. At once where it is over already. */
  onEnd(told: (reason: string) => void): void {
    if (this.#ended === null) this.#onEnd.push(told)
    else told(this.#ended)
  }

  /** Ends it without waiting for what is running. What became of that is not known. */
  destroy(reason: string): void {
    this.#end(reason)
    // Where no statement runs the driver would say goodbye first, maybe to nobody.
    this.#client.connection.stream.destroy()
    this.#client.end().catch(() => {})
  }

  /** Waits for what was asked for and says goodbye. */
  async close(): Promise<void> {
    await this.#tail
    this.#end('the session was closed')
    await this.#client.end().catch(() => {})
  }

  #inTurn(work: () => Promise<SessionResult>): Promise<SessionResult> {
    const answer = this.#tail.then(work)
    this.#tail = answer.catch(() => {})
    return answer
  }

  async #run(sql: string, parameters: readonly unknown[], name?: string): Promise<SessionResult> {
    if (this.#ended !== null) throw new DatabaseError(null, this.#ended)
    try {
      const result = await (parameters.length === 0
        ? this.#client.query<Record<string, unknown>>(sql)
        : this.#client.query<Record<string, unknown>>({
            text: sql,
            values: [...parameters],
            ...(name === undefined ? {} : { name }),
          }))
      const { rows, command, rowCount } = result
      return { rows, command, changes: changing.has(command) ? (rowCount ?? 0) : 0 }
    } catch (cause) {
      throw databaseError(cause)
    }
  }

  #end(reason: string): void {
    if (this.#ended !== null) return
    this.#ended = reason
    for (const told of this.#onEnd.splice(0)) told(reason)
  }
}

/** Object ids of the types that the tables have (pg_type.dat). All others stay text. */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  // Copied out of the pool of buffers, as one block: what is kept of it must not keep the pool.
  [17, (text) => new Uint8Array(Buffer.from(text.slice(2), 'hex'))],
  [20, safeInteger],
  [21, Number],
  [23, Number],
])

/** For the driver, which asks for each column. */
function typeParser(type: number): (text: string) => unknown {
  return parsers.get(type) ?? ((text) => text)
}

/** An int8 as a number. @throws DatabaseError rather than to answer another number */
function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new DatabaseError(null, 'a stored number is too large to be held exactly')
  return value
}
