import type { KeyObject } from 'node:crypto'
import { checkpointOrigin, logPeriod, writerIdOf, type KeyRotation, type RandomBytes } from '../../../audit/index.ts'
import { headKey } from '../../data-keys.ts'
import type { KeepingAnswer, KeepingTask } from '../../keeping-task.ts'
import { abandonedItem, keepingItem, keyChangeItem, periodItem } from '../../log-items.ts'
import { sealItem } from '../../seal-item.ts'
import type { AppendItem } from '../../worker-protocol.ts'
import { DatabaseError } from '../database-failure.ts'
import type { Session } from '../session.ts'
import { releaseAdvisoryLock, sequencerLock, tryAdvisoryLock } from './advisory-locks.ts'
import { appendBatch, keyIsGone, type SealedRecord } from './append-batch.ts'
import { carryOutKeeping } from './carry-out-keeping.ts'
import { changeSigningKey, readKeyChanges, verifierInForce } from './change-signing-key.ts'
import type { PostgresLogIdentity } from './log-identity.ts'
import { LogNamespaces } from './log-namespaces.ts'
import { placedRecordId } from './record-place.ts'
import { lockOpenTree } from './tree-edge.ts'
import { readOpenDecisions, UnfinishedCalls } from './unfinished-calls.ts'
import { WriterKeys } from './writer-keys.ts'
import { readBackend, regainWriter, type Backend, type FormerWriter } from './regain-writer.ts'
import {
  readWriterRows,
  takeWriter,
  writerMac,
  writerMacFits,
  type TakenWriter,
  type WriterPosition,
} from './writer-row.ts'

/** Tries to write a batch whose keys are erased again and again. */
const mostAttempts = 5

/** What a writer is opened with. */
export interface LogWriterParts {
  readonly session: Session
  readonly identity: PostgresLogIdentity
  readonly masterKey: Uint8Array
  readonly random: RandomBytes
  /** The writer that this process had before its session broke. */
  readonly former: FormerWriter | null
}

/** A record to be written: by somebody who waits, or by the log itself. */
export type WriterItem = Omit<AppendItem, 'ticket'>

/** Where a record went. */
export interface WrittenRecord {
  readonly id: string
  readonly index: number
}

/**
 * One chain of records, and the right to go on with it: an advisory lock that its session holds. Not safe to be called
 * again before an answer is there. After any error nothing it holds in memory is to be trusted: open another one.
 */
export class LogWriter {
  readonly writer: number
  readonly #session: Session
  readonly #identity: PostgresLogIdentity
  readonly #headKey: KeyObject
  readonly #masterKey: Uint8Array
  readonly #random: RandomBytes
  readonly #backend: Backend
  readonly #namespaces = new LogNamespaces()
  readonly #keys: WriterKeys
  readonly #unfinished = new UnfinishedCalls()
  #at: WriterPosition
  #isTransacting = false
  #abandoned = 0

  private constructor(parts: LogWriterParts, writer: number, backend: Backend, at: WriterPosition) {
    this.writer = writer
    this.#backend = backend
    this.#session = parts.session
    this.#identity = parts.identity
    this.#headKey = headKey(parts.masterKey)
    this.#masterKey = parts.masterKey
    this.#random = parts.random
    this.#keys = new WriterKeys({ masterKey: parts.masterKey, writer, epoch: at.epoch })
    this.#at = at
  }

  /**
   * Goes on with the former writer as it was, if nobody else had it since; or takes one that nobody has and begins a new
   * epoch of its chain. Writes `abandoned` for every allowed decision in it whose outcome nobody is going to write.
   * @throws DatabaseError; McpworksError `storage_unavailable`
   */
  static async open(parts: LogWriterParts, nowMs: number): Promise<LogWriter> {
    const { session, identity, masterKey, former } = parts
    const key = headKey(masterKey)
    const backend = await readBackend(session)
    const regained = former === null ? null : await regainWriter(session, former, key, identity.logId)
    const { writer, left } = regained ?? (await takeWriter(session, key, identity.logId))
    const goesOn = regained !== null && left.epoch === former?.epoch
    return LogWriter.#goOn(parts, { writer, left, backend, nowMs, calls: goesOn ? former.calls : null })
  }

  /**
   * Writes `abandoned` for every call that a writer left open whose server is gone, in a new epoch of that writer's own
   * chain. Does nothing where somebody has the writer, or its row was changed.
   * @throws DatabaseError
   */
  static async endCallsOf(parts: Omit<LogWriterParts, 'former'>, writer: number, nowMs: number): Promise<void> {
    const { session, identity, masterKey } = parts
    if (!(await tryAdvisoryLock(session, writer))) return
    try {
      const row = (await readWriterRows(session)).find((other) => other.writer === writer)
      if (row === undefined || !writerMacFits(headKey(masterKey), identity.logId, row)) return
      const backend = await readBackend(session)
      const left = row.position
      await LogWriter.#goOn({ ...parts, former: null }, { writer, left, backend, nowMs, calls: null })
    } finally {
      if (session.ended === null) await releaseAdvisoryLock(session, writer)
    }
  }

  /** `calls` are those under way, of a writer that goes on; `null` begins an epoch. */
  static async #goOn(
    parts: LogWriterParts,
    {
      writer,
      left,
      backend,
      nowMs,
      calls,
    }: TakenWriter & { backend: Backend; nowMs: number; calls: ReadonlySet<string> | null },
  ): Promise<LogWriter> {
    const { session, identity, masterKey } = parts
    const at = calls === null ? { ...left, epoch: left.epoch + 1 } : left
    if (calls === null) await beginEpoch(session, writer, at, writerMac(headKey(masterKey), identity.logId, writer, at))
    const opened = new LogWriter(parts, writer, backend, at)
    const open = await readOpenDecisions(session, writer, at.openFrom)
    opened.#unfinished.load(open)
    const lost = open.filter(({ call }) => calls?.has(call) !== true)
    if (lost.length > 0) await opened.append(lost.map((decision) => abandonedItem(decision, nowMs)))
    opened.#abandoned = lost.length
    return opened
  }

  /** Calls that were ended when it was opened. */
  get abandoned(): number {
    return this.#abandoned
  }

  /** Allowed calls whose outcome is still to be written here. */
  get unfinished(): ReadonlySet<string> {
    return this.#unfinished.calls
  }

  /** What the next session needs to go on where this one ends. */
  asFormer(): FormerWriter {
    return { writer: this.writer, epoch: this.#at.epoch, backend: this.#backend, calls: this.unfinished }
  }

  /** Records all items or none, in one transaction. @throws DatabaseError */
  async append(items: readonly WriterItem[]): Promise<WrittenRecord[]> {
    for (const { namespace, timeMs } of items) {
      await this.#findNamespace(namespace, timeMs)
      if (this.#isPeriodOver(namespace, timeMs)) await this.#transact(() => this.#beginPeriod(namespace, timeMs))
    }
    return this.#append(items)
  }

  /** Carries a task out with its records, all of it or nothing. @throws DatabaseError */
  async keep(task: KeepingTask, nowMs: number): Promise<KeepingAnswer> {
    const timeMs = Math.floor(nowMs)
    const answer = await this.#transact(() =>
      carryOutKeeping(task, {
        session: this.#session,
        keys: this.#keys,
        record: (namespace, kind, event) => this.#record(keepingItem(namespace, kind, event, timeMs)),
      }),
    )
    if (task.kind === 'erase') this.#keys.clear()
    return answer
  }

  /**
   * Lets a new signing key take the place of the one in force, in every namespace, all of it or nothing. `null` while
   * another server is the sequencer, whose checkpoints are under way: then nothing was done.
   * @throws DatabaseError
   */
  async rotateKey(timeMs: number): Promise<KeyRotation | null> {
    const session = this.#session
    if (!(await tryAdvisoryLock(session, sequencerLock))) return null
    try {
      return await this.#transact(() =>
        changeSigningKey({
          session,
          masterKey: this.#masterKey,
          timeMs,
          beginPeriod: async (namespace) => {
            await this.#findNamespace(namespace, timeMs)
            if (this.#isPeriodOver(namespace, timeMs)) await this.#beginPeriod(namespace, timeMs)
          },
          record: async (namespace, event) => {
            await this.#record(keyChangeItem(namespace, event, timeMs))
          },
        }),
      )
    } finally {
      if (session.ended === null) await releaseAdvisoryLock(session, sequencerLock)
    }
  }

  /** A namespace that is younger than a change of the key bears it too: it is provable from the first key on by itself. */
  async #findNamespace(namespace: string, timeMs: number): Promise<void> {
    if (this.#namespaces.has(namespace)) return
    await this.#transact(async () => {
      const { made } = await this.#namespaces.find(this.#session, namespace, timeMs)
      if (!made) return
      for (const [at, statement] of (await readKeyChanges(this.#session)).entries())
        await this.#append([keyChangeItem(namespace, { number: at + 1, statement, inherited: true }, timeMs)])
    })
  }

  /** Records one item inside a transaction; gives its position. */
  async #record(item: WriterItem): Promise<number> {
    const { namespace, timeMs } = item
    await this.#findNamespace(namespace, timeMs)
    if (this.#isPeriodOver(namespace, timeMs)) await this.#beginPeriod(namespace, timeMs)
    const [written] = await this.#append([item])
    return written?.index ?? -1
  }

  #isPeriodOver(namespace: string, timeMs: number): boolean {
    return timeMs >= this.#namespaces.get(namespace).periodEndsMs
  }

  /** In the transaction that is under way, where there is one. */
  async #transact<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isTransacting) return work()
    this.#isTransacting = true
    await this.#session.query('BEGIN')
    try {
      const result = await work()
      await this.#session.query('COMMIT')
      return result
    } catch (error) {
      if (this.#session.ended === null) await this.#session.query('ROLLBACK')
      throw error
    } finally {
      this.#isTransacting = false
    }
  }

  async #append(items: readonly WriterItem[]): Promise<WrittenRecord[]> {
    const undo = this.#unfinished.note(items, this.#at)
    try {
      return await this.#writeUnderKeys(items)
    } catch (error) {
      undo()
      throw error
    }
  }

  /** Seals and writes the items; once more with new keys where one was erased since it was looked up. */
  async #writeUnderKeys(items: readonly WriterItem[]): Promise<WrittenRecord[]> {
    for (let attempt = 1; ; attempt++) {
      await this.#keys.find(this.#session, this.#ownersOf(items))
      try {
        return await this.#write(items)
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.sqlState !== keyIsGone || attempt === mostAttempts) throw error
        this.#keys.clear()
      }
    }
  }

  async #write(items: readonly WriterItem[]): Promise<WrittenRecord[]> {
    const { records, to } = this.#seal(items)
    const indexes = await appendBatch(this.#session, {
      logId: this.#identity.logId,
      headKey: this.#headKey,
      writer: this.writer,
      from: this.#at,
      to,
      records,
    })
    this.#at = to
    this.#keys.trim()
    return records.map(({ id }, at) => ({ id, index: indexes[at] ?? -1 }))
  }

  /** Proves that the database takes a durable write of more than a batch usually needs. @throws DatabaseError */
  async probe(): Promise<void> {
    await this.#session.query("INSERT INTO probe (bytes) VALUES (decode(repeat('00', 262144), 'hex'))")
    await this.#session.query('DELETE FROM probe')
  }

  /**
   * Begins a namespace's tree of the period of this time, unless another writer has: with a record that names the one
   * before it as all of it is hashed. The sequencer signs that one when it comes to the record. Inside a transaction.
   */
  async #beginPeriod(namespace: string, timeMs: number): Promise<void> {
    const { log } = this.#namespaces.get(namespace)
    const closed = await lockOpenTree(this.#session, log)
    const period = logPeriod(timeMs)
    if (closed.period < period) {
      const name = checkpointOrigin(this.#identity.logId, namespace, closed.period)
      // Another server may have changed the key since.
      const { publicKey } = await verifierInForce(this.#session)
      const signer = { name, publicKey }
      await this.#append([periodItem(namespace, { signer, hashes: closed.hashes }, period, timeMs)])
      await this.#session.query('INSERT INTO trees (log, period, first_idx) VALUES ($1, $2, $3)', [
        log,
        period,
        closed.nextIndex,
      ])
    }
    this.#namespaces.note(namespace, log, closed.period < period ? period : closed.period)
  }

  #ownersOf(items: readonly WriterItem[]) {
    return items.flatMap(({ namespace, subject }) =>
      subject === null ? [] : [{ log: this.#namespaces.get(namespace).log, namespace, subject }],
    )
  }

  #seal(items: readonly WriterItem[]): { records: SealedRecord[]; to: WriterPosition } {
    const { epoch } = this.#at
    let { nextPosition, lastHash } = this.#at
    const records: SealedRecord[] = []
    for (const item of items) {
      const record = this.#sealOne(item, { epoch, nextPosition, lastHash })
      records.push(record)
      nextPosition += 1
      lastHash = record.leaf
    }
    return { records, to: { epoch, nextPosition, lastHash, openFrom: this.#unfinished.oldest ?? nextPosition } }
  }

  #sealOne(
    item: WriterItem,
    { epoch, nextPosition: position, lastHash }: Omit<WriterPosition, 'openFrom'>,
  ): SealedRecord {
    const { namespace, timeMs, kind, call, principal } = item
    const { log } = this.#namespaces.get(namespace)
    const id = placedRecordId(timeMs, { writer: this.writer, position }, this.#random)
    const writerId = writerIdOf(this.#identity.logId, this.writer)
    const keyOf = (subject: string) => this.#keys.get(log, subject)
    const sealed = sealItem(item, { id, writerId, epoch, position, lastHash }, keyOf, this.#random)
    return { log, position, id, timeMs, kind, call, principal, ...sealed }
  }
}

/** Begins a start of a writer. @throws DatabaseError */
async function beginEpoch(session: Session, writer: number, { epoch }: WriterPosition, mac: Buffer): Promise<void> {
  await session.query('UPDATE writers SET epoch = $2, mac = $3 WHERE writer = $1', [writer, epoch, mac])
}
