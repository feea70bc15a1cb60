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
} from '../../../audit/index.ts'
import { McpworksError, type Clock } from '../../../kernel/index.ts'
import { draftBodies } from '../../draft-bodies.ts'
import type { KeepingAnswer, KeepingTask } from '../../keeping-task.ts'
import { OpenedDataKeys, type DataKeyRow } from '../../opened-data-keys.ts'
import type { WorkerClient } from '../../worker-client.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { proveStoredRecord } from './prove-stored-record.ts'
import { readRecords } from './read-records.ts'
import { ReadingSessions } from './reading-sessions.ts'
import { placeOfRecordId } from './record-place.ts'
import { holdOfRow, holdsOfNamespace } from './stored-holds.ts'

const waitingLimit = 20_000

/** What the log is made of. */
export interface PostgresDecisionLogParts {
  readonly client: WorkerClient
  readonly database: DatabaseOptions
  readonly masterKey: Uint8Array
  readonly clock: Clock
  readonly silentMs: number
}

/** The decision log on PostgreSQL: appends go to a thread with a session of its own, reads use others. */
export class PostgresDecisionLog implements DecisionLog, RecordProver, RecordKeeper {
  readonly #client: WorkerClient
  readonly #clock: Clock
  readonly #sessions: ReadingSessions
  readonly #dataKeys: OpenedDataKeys

  constructor({ client, database, masterKey, clock, silentMs }: PostgresDecisionLogParts) {
    this.#client = client
    this.#clock = clock
    this.#dataKeys = new OpenedDataKeys(masterKey)
    this.#sessions = new ReadingSessions({ database, silentMs })
  }

  async append(draft: RecordDraft): Promise<Receipt> {
    if (this.#client.waiting >= waitingLimit) {
      throw new McpworksError('audit_unavailable', { detail: `${waitingLimit} records are waiting for the database` })
    }
    requireLogNamespace(draft.namespace)
    const timeMs = Math.floor(this.#clock.nowMs())
    const { namespace, kind, call } = draft
    const principal = draft.kind === 'decision' ? draft.pre.principal.id.toWellFormed() : null
    // PostgreSQL's text holds every character but this one, and would refuse the whole batch.
    if (call.includes('\0') || principal?.includes('\0') === true) {
      throw new McpworksError('internal', { detail: 'a malformed draft' })
    }
    const where = await this.#client.append({
      timeMs,
      namespace,
      kind,
      call,
      principal,
      subject: subjectOf(draft),
      allows: draft.kind === 'decision' && draft.decision.effect === 'allow',
      text: writeRecord(draft, timeMs),
      ...draftBodies(draft),
    })
    return { id: where.id, namespace, index: where.index }
  }

  async read(query: RecordQuery): Promise<StoredRecord[]> {
    if (query.namespace === null) await this.#client.settle()
    return readRecords(this.#sessions, query)
  }

  async readBody(recordId: string, part: BodyPart): Promise<OpenedBody | null> {
    const place = placeOfRecordId(recordId)
    if (place === null) return null
    const [row] = await this.#sessions.read(
      `SELECT bodies.data_key, sealed, wrapped, subject, data_keys.epoch, namespace
       FROM records JOIN bodies USING (writer, pos) LEFT JOIN data_keys ON data_keys.data_key = bodies.data_key
       LEFT JOIN logs ON logs.log = data_keys.log WHERE records.writer = $1 AND pos = $2 AND id = $3`,
      [place.writer, place.position, recordId],
    )
    if (row === undefined) return null
    const key = this.#dataKeys.open(row as unknown as DataKeyRow)
    if (key === null) return null
    const opened = openBodies(key, recordId, row['sealed'] as Uint8Array)
    if (opened === null) {
      throw new McpworksError('storage_unavailable', {
        message: 'A stored body does not open: it was changed, or belongs elsewhere.',
      })
    }
    return opened.find((body) => body.part === part) ?? null
  }

  prove(recordId: string): Promise<RecordProof | null> {
    return proveStoredRecord(this.#sessions, recordId)
  }

  async holds(namespace: string | null): Promise<Hold[]> {
    return (await this.#sessions.read(holdsOfNamespace, [namespace])).map(holdOfRow)
  }

  async placeHold(hold: Hold): Promise<void> {
    requireLogNamespace(hold.namespace)
    requireStorable([hold.id, hold.subject, hold.reason, hold.placedBy])
    await this.#keep({ kind: 'place-hold', hold })
  }

  async liftHold(lift: Parameters<RecordKeeper['liftHold']>[0]): Promise<Hold | null> {
    requireLogNamespace(lift.namespace)
    requireStorable([lift.reason, lift.by])
    return (await this.#keep({ kind: 'lift-hold', ...lift })) as Hold | null
  }

  async expire(step: ExpiryStep): Promise<StepResult> {
    return (await this.#keep({ kind: 'expire', ...step })) as StepResult
  }

  async erase(erasure: Parameters<RecordKeeper['erase']>[0]): Promise<ErasureResult> {
    requireStorable([erasure.subject, erasure.by])
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

  /** Closes the reading side; the thread is the storage's to close. */
  async close(): Promise<void> {
    await this.#sessions.close()
  }
}

/** PostgreSQL's text holds every character but this one. @throws McpworksError `invalid_request` */
function requireStorable(texts: readonly (string | null)[]): void {
  if (texts.some((text) => text?.includes('\0') === true)) {
    throw new McpworksError('invalid_request', {
      message: 'A text holds the character U+0000, which cannot be stored.',
    })
  }
}
