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
import { draftBodies } from './draft-bodies.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'
import { OpenedDataKeys, type DataKeyRow } from './opened-data-keys.ts'
import type { WorkerClient } from './worker-client.ts'

const waitingLimit = 20_000

/** What a log is made of whose records another thread writes. */
export interface ThreadedDecisionLogParts {
  readonly client: WorkerClient
  readonly masterKey: Uint8Array
  readonly clock: Clock
}

/** What the place of the records is like. */
interface Place {
  /** For whom records wait that are not durable yet. */
  readonly name: 'disk' | 'database'
  /** Whether texts may hold U+0000. A text that may not be stored would have a whole batch refused. */
  readonly takesNul: boolean
}

/** Bodies of one record as they are stored, and the key that they were sealed under. */
export interface SealedBodiesRow extends DataKeyRow {
  readonly sealed: Uint8Array
}

/**
 * What decision logs have in common, wherever the records are: appends and what removes go to a thread that writes;
 * bodies are opened here. How records are found is each one's own.
 */
export abstract class ThreadedDecisionLog implements DecisionLog, RecordProver, RecordKeeper {
  readonly #client: WorkerClient
  readonly #clock: Clock
  readonly #dataKeys: OpenedDataKeys
  readonly #place: Place

  constructor({ client, masterKey, clock }: ThreadedDecisionLogParts, place: Place) {
    this.#client = client
    this.#clock = clock
    this.#dataKeys = new OpenedDataKeys(masterKey)
    this.#place = place
  }

  abstract read(query: RecordQuery): Promise<StoredRecord[]>

  abstract prove(recordId: string): Promise<RecordProof | null>

  abstract holds(namespace: string | null): Promise<Hold[]>

  /** Closes the reading side; the thread is the storage's to close. */
  abstract close(): Promise<void>

  /** `null` where there is no such record, or nothing beside it. */
  protected abstract sealedBodies(recordId: string): Promise<SealedBodiesRow | null>

  async append(draft: RecordDraft): Promise<Receipt> {
    if (this.#client.waiting >= waitingLimit) {
      const detail = `${waitingLimit} records are waiting for the ${this.#place.name}`
      throw new McpworksError('audit_unavailable', { detail })
    }
    requireLogNamespace(draft.namespace)
    const timeMs = Math.floor(this.#clock.nowMs())
    const { namespace, kind, call } = draft
    const principal = draft.kind === 'decision' ? draft.pre.principal.id.toWellFormed() : null
    if (!this.#takes([call, principal])) throw new McpworksError('internal', { detail: 'a malformed draft' })
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

  async readBody(recordId: string, part: BodyPart): Promise<OpenedBody | null> {
    const row = await this.sealedBodies(recordId)
    if (row === null) return null
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

  async placeHold(hold: Hold): Promise<void> {
    requireLogNamespace(hold.namespace)
    this.#requireStorable([hold.id, hold.subject, hold.reason, hold.placedBy])
    await this.#keep({ kind: 'place-hold', hold })
  }

  async liftHold(lift: Parameters<RecordKeeper['liftHold']>[0]): Promise<Hold | null> {
    requireLogNamespace(lift.namespace)
    this.#requireStorable([lift.reason, lift.by])
    return (await this.#keep({ kind: 'lift-hold', ...lift })) as Hold | null
  }

  async expire(step: ExpiryStep): Promise<StepResult> {
    return (await this.#keep({ kind: 'expire', ...step })) as StepResult
  }

  async erase(erasure: Parameters<RecordKeeper['erase']>[0]): Promise<ErasureResult> {
    this.#requireStorable([erasure.subject, erasure.by])
    return (await this.#keep({ kind: 'erase', ...erasure })) as ErasureResult
  }

  async sweepErased(): Promise<StepResult> {
    return (await this.#keep({ kind: 'sweep-erased' })) as StepResult
  }

  health(): LogHealth {
    const reason = this.#client.failure
    return reason === null ? { ok: true } : { ok: false, reason }
  }

  async recheck(): Promise<LogHealth> {
    await this.#client.recheck()
    return this.health()
  }

  #keep(task: KeepingTask): Promise<KeepingAnswer> {
    return this.#client.keep(task, this.#clock.nowMs())
  }

  /** @throws McpworksError `invalid_request` */
  #requireStorable(texts: readonly (string | null)[]): void {
    if (this.#takes(texts)) return
    throw new McpworksError('invalid_request', {
      message: 'A text holds the character U+0000, which cannot be stored.',
    })
  }

  #takes(texts: readonly (string | null)[]): boolean {
    return this.#place.takesNul || texts.every((text) => text?.includes('\0') !== true)
  }
}
