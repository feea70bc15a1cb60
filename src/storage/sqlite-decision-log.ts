import type { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import {
  openBodies,
  requireLogNamespace,
  subjectOf,
  writeRecord,
  type BodyPart,
  type DecisionLog,
  type ErasureResult,
  type ExpiryStep,
  type Hold,
  type LogHealth,
  type OpenedBody,
  type Receipt,
  type RecordDraft,
  type RecordKeeper,
  type RecordProof,
  type RecordProver,
  type RecordQuery,
  type StepResult,
  type StoredRecord,
} from '../audit/index.ts'
import { McpworksError, type Clock } from '../kernel/index.ts'
import type { AuditTables } from './audit-tables.ts'
import { draftBodies } from './draft-bodies.ts'
import { readHolds } from './stored-holds.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'
import { OpenedDataKeys } from './opened-data-keys.ts'
import { proveRecord } from './prove-record.ts'
import { readRecords } from './read-records.ts'
import { readableDialect } from './readable-dialect.ts'
import { seqOfRecordId } from './record-id.ts'
import { openReadable } from './sqlite-database.ts'
import type { WorkerClient } from './worker-client.ts'

const waitingLimit = 20_000

/** What the log is made of. */
export interface SqliteDecisionLogParts {
  readonly client: WorkerClient
  readonly auditPath: string
  readonly masterKey: Uint8Array
  readonly clock: Clock
}

/** The decision log on SQLite: appends go to the storage worker, reads use a connection of their own. */
export class SqliteDecisionLog implements DecisionLog, RecordProver, RecordKeeper {
  readonly #client: WorkerClient
  readonly #clock: Clock
  readonly #connection: DatabaseSync
  readonly #database: Kysely<AuditTables>
  readonly #dataKeys: OpenedDataKeys

  constructor(parts: SqliteDecisionLogParts) {
    this.#client = parts.client
    this.#clock = parts.clock
    this.#dataKeys = new OpenedDataKeys(parts.masterKey)
    this.#connection = openReadable(parts.auditPath)
    this.#database = new Kysely<AuditTables>({ dialect: readableDialect(this.#connection) })
  }

  async append(draft: RecordDraft): Promise<Receipt> {
    if (this.#client.waiting >= waitingLimit) {
      throw new McpworksError('audit_unavailable', { detail: `${waitingLimit} records are waiting for the disk` })
    }
    requireLogNamespace(draft.namespace)
    const timeMs = Math.floor(this.#clock.nowMs())
    const { namespace, kind, call } = draft
    const where = await this.#client.append({
      timeMs,
      namespace,
      kind,
      call,
      principal: draft.kind === 'decision' ? draft.pre.principal.id.toWellFormed() : null,
      subject: subjectOf(draft),
      allows: draft.kind === 'decision' && draft.decision.effect === 'allow',
      text: writeRecord(draft, timeMs),
      ...draftBodies(draft),
    })
    return { id: where.id, namespace: draft.namespace, index: where.index }
  }

  read(query: RecordQuery): Promise<StoredRecord[]> {
    return readRecords(this.#database, query)
  }

  async readBody(recordId: string, part: BodyPart): Promise<OpenedBody | null> {
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
    if (row === undefined) return null
    const key = this.#dataKeys.open(row)
    if (key === null) return null
    const opened = openBodies(key, recordId, row.sealed)
    if (opened === null) {
      throw new McpworksError('storage_unavailable', {
        message: 'A stored body does not open: it was changed, or belongs elsewhere.',
      })
    }
    return opened.find((body) => body.part === part) ?? null
  }

  prove(recordId: string): Promise<RecordProof | null> {
    return this.#reading(async () => proveRecord(this.#connection, recordId))
  }

  async holds(namespace: string | null): Promise<Hold[]> {
    return this.#reading(async () => {
      const log = this.#connection.prepare('SELECT log FROM logs WHERE namespace = ?').get(namespace ?? '')
      if (namespace !== null && log === undefined) return []
      return readHolds(this.#connection, namespace === null ? null : Number(log?.['log']))
    })
  }

  async placeHold(hold: Hold): Promise<void> {
    requireLogNamespace(hold.namespace)
    await this.#keep({ kind: 'place-hold', hold })
  }

  async liftHold(lift: Parameters<RecordKeeper['liftHold']>[0]): Promise<Hold | null> {
    requireLogNamespace(lift.namespace)
    return (await this.#keep({ kind: 'lift-hold', ...lift })) as Hold | null
  }

  async expire(step: ExpiryStep): Promise<StepResult> {
    return (await this.#keep({ kind: 'expire', ...step })) as StepResult
  }

  async erase(erasure: Parameters<RecordKeeper['erase']>[0]): Promise<ErasureResult> {
    return (await this.#keep({ kind: 'erase', ...erasure })) as ErasureResult
  }

  async sweepErased(): Promise<StepResult> {
    return (await this.#keep({ kind: 'sweep-erased' })) as StepResult
  }

  #keep(task: KeepingTask): Promise<KeepingAnswer> {
    return this.#client.keep(task, this.#clock.nowMs())
  }

  health(): LogHealth {
    const reason = this.#client.failure
    return reason === null ? { ok: true } : { ok: false, reason }
  }

  async recheck(): Promise<LogHealth> {
    await this.#client.recheck()
    return this.health()
  }

  /** Closes the reading side; the worker is the storage's to close. */
  async close(): Promise<void> {
    await this.#database.destroy()
  }

  async #reading<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (cause) {
      throw new McpworksError('storage_unavailable', { cause })
    }
  }
}
