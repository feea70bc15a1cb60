import type { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import type { Hold, RecordProof, RecordQuery, StoredRecord } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import type { AuditTables } from './audit-tables.ts'
import { proveRecord } from './prove-record.ts'
import { readRecords } from './read-records.ts'
import { readableDialect } from './readable-dialect.ts'
import { seqOfRecordId } from './record-id.ts'
import { openReadable } from './sqlite-database.ts'
import { findLog, readAllHolds, readHolds } from './stored-holds.ts'
import { ThreadedDecisionLog, type SealedBodiesRow, type ThreadedDecisionLogParts } from './threaded-decision-log.ts'

/** What the log is made of. */
export interface SqliteDecisionLogParts extends ThreadedDecisionLogParts {
  readonly auditPath: string
}

/** The decision log on SQLite: appends go to the storage worker, reads use a connection of their own. */
export class SqliteDecisionLog extends ThreadedDecisionLog {
  readonly #connection: DatabaseSync
  readonly #database: Kysely<AuditTables>

  constructor(parts: SqliteDecisionLogParts) {
    super(parts, { name: 'disk', takesNul: true })
    this.#connection = openReadable(parts.auditPath)
    this.#database = new Kysely<AuditTables>({ dialect: readableDialect(this.#connection) })
  }

  read(query: RecordQuery): Promise<StoredRecord[]> {
    return readRecords(this.#database, query)
  }

  prove(recordId: string): Promise<RecordProof | null> {
    return this.#reading(async () => proveRecord(this.#connection, recordId))
  }

  async holds(namespace: string | null): Promise<Hold[]> {
    return this.#reading(async () => {
      if (namespace === null) return readAllHolds(this.#connection)
      const place = findLog(this.#connection, namespace)
      return place === null ? [] : [...readHolds(this.#connection, place.log).holds]
    })
  }

  async close(): Promise<void> {
    await this.#database.destroy()
  }

  protected async sealedBodies(recordId: string): Promise<SealedBodiesRow | null> {
    const record = await this.#reading(() =>
      this.#database
        .selectFrom('records')
        .select('seq')
        .where('seq', '=', seqOfRecordId(recordId))
        .where('id', '=', recordId)
        .executeTakeFirst(),
    )
    if (record === undefined) return null
    const row = await this.#reading(() =>
      this.#database
        .selectFrom('bodies')
        .leftJoin('data_keys', 'data_keys.data_key', 'bodies.data_key')
        .leftJoin('logs', 'logs.log', 'data_keys.log')
        .select(['bodies.data_key', 'sealed', 'wrapped', 'subject', 'epoch', 'namespace'])
        .where('seq', '=', record.seq)
        .executeTakeFirst(),
    )
    return row ?? null
  }

  async #reading<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (cause) {
      throw new McpworksError('storage_unavailable', { cause })
    }
  }
}
