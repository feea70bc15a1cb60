import type { KeyRotation } from '../../../audit/index.ts'
import { McpworksError } from '../../../kernel/index.ts'
import { randomPool } from '../../random-pool.ts'
import type { KeepingAnswer, KeepingTask } from '../../keeping-task.ts'
import type { AppendItem, BatchAnswer } from '../../worker-protocol.ts'
import { DatabaseError, databaseError } from '../database-failure.ts'
import type { Session } from '../session.ts'
import { prepareLog, type PostgresLogIdentity } from './log-identity.ts'
import { answeredInTime, openLogSession } from './log-session.ts'
import { LogWriter } from './log-writer.ts'
import type { FormerWriter } from './regain-writer.ts'
import type { LogWorkerSettings } from './log-worker-protocol.ts'

/** What became of a batch. Where `ok` is false, none of it is acknowledged. */
export type AppendOutcome =
  | {
      readonly ok: true
      readonly batch: BatchAnswer
      readonly refused: readonly { readonly tickets: readonly number[]; readonly reason: string }[]
    }
  | { readonly ok: false; readonly reason: string }

/** What became of a task. Where `ok` is false, it counts as not done: whether it was is not known where the way broke. */
export type KeepOutcome =
  | { readonly ok: true; readonly answer: KeepingAnswer }
  | { readonly ok: false; readonly reason: string }

/**
 * What became of a change of the signing key, with the verifier key lines since. Where `ok` is false the former key is
 * still in force, or that is not known; `why` is for the operator, where another try is all that it takes.
 */
export type RotationOutcome =
  | { readonly ok: true; readonly rotation: KeyRotation; readonly keyLines: readonly string[] }
  | { readonly ok: false; readonly why: string | undefined }

/**
 * Keeps a writer, over sessions that break: what came while there is none is refused, and so is what was on its way when
 * one broke, whatever became of it. Not safe to be called again before an answer is there.
 */
export class WriterRole {
  readonly #settings: LogWorkerSettings
  readonly #onHealth: (reason: string | null) => void
  readonly #random = randomPool()
  #identity: PostgresLogIdentity | null = null
  #session: Session | null = null
  #writer: LogWriter | null = null
  #former: FormerWriter | null = null
  /** Calls of this process whose writer somebody else took over: they were recorded as abandoned. */
  readonly #orphans = new Set<string>()
  #failure: string | null = null

  constructor(settings: LogWorkerSettings, onHealth: (reason: string | null) => void) {
    this.#settings = settings
    this.#onHealth = onHealth
  }

  /** Opens the first session; `abandoned` calls were ended for it. @throws DatabaseError; McpworksError `storage_unavailable`, `config_invalid` */
  async start(nowMs: number): Promise<{ readonly identity: PostgresLogIdentity; readonly abandoned: number }> {
    await this.#open(nowMs)
    return { identity: required(this.#identity), abandoned: required(this.#writer).abandoned }
  }

  async append(items: readonly AppendItem[]): Promise<AppendOutcome> {
    const writer = this.#writer
    if (writer === null || this.#failure !== null) return { ok: false, reason: this.#failure ?? 'the log is not open' }
    const orphans = items.filter(({ kind, call }) => kind === 'outcome' && this.#orphans.delete(call))
    const taken = orphans.length === 0 ? items : items.filter((item) => !orphans.includes(item))
    try {
      const written = taken.length === 0 ? [] : await this.#inTime(() => writer.append(taken))
      return {
        ok: true,
        batch: {
          tickets: taken.map(({ ticket }) => ticket),
          ids: written.map(({ id }) => id),
          indexes: written.map(({ index }) => index),
        },
        refused:
          orphans.length === 0 ? [] : [{ tickets: orphans.map(({ ticket }) => ticket), reason: abandonedMeanwhile }],
      }
    } catch (error) {
      return { ok: false, reason: this.#fail(error) }
    }
  }

  /** Takes something out of the log, or keeps it in. */
  async keep(task: KeepingTask, nowMs: number): Promise<KeepOutcome> {
    const writer = this.#writer
    if (writer === null || this.#failure !== null) return { ok: false, reason: this.#failure ?? 'the log is not open' }
    try {
      return { ok: true, answer: await this.#inTime(() => writer.keep(task, nowMs)) }
    } catch (error) {
      return { ok: false, reason: this.#fail(error) }
    }
  }

  /** Changes the signing key. */
  async rotateKey(timeMs: number): Promise<RotationOutcome> {
    const writer = this.#writer
    if (writer === null || this.#failure !== null) return { ok: false, why: undefined }
    try {
      const rotation = await this.#inTime(() => writer.rotateKey(timeMs))
      if (rotation === null) return { ok: false, why: orderedElsewhere }
      const identity = await this.#inTime(() => prepareLog(required(this.#session), this.#settings.masterKey))
      this.#identity = identity
      return { ok: true, rotation, keyLines: identity.keyLines }
    } catch (error) {
      this.#fail(error)
      return { ok: false, why: undefined }
    }
  }

  /** Once a second: after a failure, a try whether the log can be written again; and a look whether the session lives. */
  async tick(): Promise<void> {
    if (this.#failure === null && this.#session?.ended === null) return
    await this.recheck()
  }

  /** Proves that the log can be written, with a new session where the old one broke. Says so. */
  async recheck(): Promise<void> {
    try {
      if (this.#writer === null || this.#session?.ended !== null) await this.#open(Date.now())
      const writer = required(this.#writer)
      await this.#inTime(() => writer.probe())
      this.#setFailure(null)
    } catch (error) {
      this.#fail(error)
    }
  }

  async close(): Promise<void> {
    this.#former = null
    this.#writer = null
    const session = this.#session
    this.#session = null
    if (session?.ended === null) await this.#inTime(() => session.close(), session)
  }

  async #open(nowMs: number): Promise<void> {
    const { masterKey } = this.#settings
    this.#former ??= this.#writer?.asFormer() ?? null
    this.#writer = null
    const reused = this.#session?.ended === null ? this.#session : null
    const session = reused ?? (await openLogSession(this.#settings, 'log'))
    this.#session = session
    session.onEnd((reason) => {
      if (this.#session === session) this.#setFailure(reason)
    })
    await this.#inTime(async () => {
      this.#identity = await prepareLog(session, masterKey)
      const writer = await LogWriter.open(
        { session, identity: this.#identity, masterKey, random: this.#random, former: this.#former },
        nowMs,
      )
      for (const call of this.#former?.calls ?? []) if (!writer.unfinished.has(call)) this.#orphans.add(call)
      this.#writer = writer
      this.#former = null
    })
  }

  #fail(error: unknown): string {
    if (this.#writer !== null) this.#former = this.#writer.asFormer()
    this.#writer = null
    const reason = error instanceof McpworksError ? (error.detail ?? error.message) : databaseError(error).message
    this.#setFailure(reason)
    return reason
  }

  #setFailure(reason: string | null): void {
    if (reason === this.#failure) return
    this.#failure = reason
    this.#onHealth(reason)
  }

  #inTime<Result>(work: () => Promise<Result>, session = this.#session): Promise<Result> {
    if (session === null) throw new DatabaseError(null, 'there is no session')
    return answeredInTime(session, this.#settings.silentMs, work)
  }
}

const abandonedMeanwhile = 'the session with the database broke, and another server has recorded the call as abandoned'

const orderedElsewhere =
  'Nothing was changed: another server on this database still signs the log. It is one that was active before; try again once its process has ended or the database has ended its sessions (pg_stat_activity, "mcpworks log order").'

function required<Value>(value: Value | null): Value {
  if (value === null) throw new DatabaseError(null, 'the log is not open')
  return value
}
