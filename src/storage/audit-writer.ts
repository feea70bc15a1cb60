import type { KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { leafHash, logPeriod, LogTree, sealBodies, sealRecord, signCheckpoint, type BodyPart } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { headMac, readHead, type AuditHead } from './audit-head.ts'
import { loadLogState, treeSigner, type AuditLogState, type LogIdentity, type OpenTree } from './audit-log-state.ts'
import { auditMigrations } from './audit-migrations.ts'
import { prepareAuditStatements, type AuditStatements } from './audit-statements.ts'
import { headKey } from './data-keys.ts'
import { loadLogIdentity } from './load-log-identity.ts'
import { abandonedItem, periodItem } from './log-items.ts'
import { findOpenDecisions } from './open-decisions.ts'
import { randomPool } from './random-pool.ts'
import { recordId } from './record-id.ts'
import { foldLog, openWritable } from './sqlite-database.ts'
import { SubjectKeys, type SubjectKey } from './subject-keys.ts'
import type { AppendItem, BatchAnswer } from './worker-protocol.ts'

const leavesPerCheckpoint = 256

/** What the writer is opened with. */
export interface AuditWriterSettings {
  readonly path: string
  readonly masterKey: Uint8Array
  readonly maxPages: number | null
}

/**
 * The one writer of the audit database. Lives in the storage worker; synchronous.
 * After any error of the database nothing it holds in memory is trusted: it is closed, and `reopen` reads all anew.
 */
export class AuditWriter {
  readonly #settings: AuditWriterSettings
  readonly #headKey: KeyObject
  readonly #random = randomPool()
  #open: OpenWriter | null = null
  #epoch: number | null = null

  constructor(settings: AuditWriterSettings) {
    this.#settings = settings
    this.#headKey = headKey(settings.masterKey)
  }

  /**
   * Opens the log, begins a new epoch and writes `abandoned` for every allowed decision without an outcome.
   * @throws SQLite's own errors; McpworksError `storage_unavailable`
   */
  start(nowMs: number): void {
    this.#reload()
    this.#transact((open) => {
      for (const decision of findOpenDecisions(open.database, open.openFrom))
        this.#insert(open, abandonedItem(decision, nowMs))
    })
  }

  /** Log id and raw public key, for auditors. */
  identity(): { readonly logId: string; readonly publicKey: Uint8Array } {
    const { identity } = this.#required()
    return { logId: identity.logId, publicKey: identity.key.publicKey }
  }

  /** Records all items or none, in one transaction with one sync. @throws SQLite's own errors: nothing is recorded */
  append(items: readonly AppendItem[]): BatchAnswer {
    return this.#transact((open) => {
      const batch: BatchAnswer = { tickets: [], ids: [], indexes: [] }
      for (const item of items) {
        const { id, index } = this.#insert(open, item)
        batch.tickets.push(item.ticket)
        batch.ids.push(id)
        batch.indexes.push(index)
      }
      return batch
    })
  }

  /** Signs a checkpoint for every log that has leaves beyond its newest one. @throws SQLite's own errors */
  signCheckpoints(): void {
    const { dirty } = this.#required()
    if (dirty.size === 0) return
    this.#transact((open) => {
      for (const log of open.dirty) if (log.open !== null) this.#signCheckpoint(open, log, log.open)
    })
  }

  /** Proves that the open database takes a durable write. @throws SQLite's own errors */
  probe(): void {
    this.#transact(() => undefined)
  }

  /** Opens the database anew after an error and proves that it takes a durable write. @throws SQLite's own errors */
  reopen(): void {
    this.#reload()
    try {
      foldLog(this.#required().database)
    } catch (error) {
      this.#discard()
      throw error
    }
    this.#transact((open) => {
      // More than a batch usually needs: space that is only just back would be gone with the next record.
      open.database.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, zeroblob(262144))').run('probe')
    })
    this.#transact((open) => {
      open.database.prepare('DELETE FROM meta WHERE name = ?').run('probe')
    })
  }

  /** Signs what is unsigned, folds the write-ahead log into the database and closes it. */
  close(): void {
    if (this.#open === null) return
    try {
      this.signCheckpoints()
      foldLog(this.#open.database)
    } finally {
      this.#discard()
    }
  }

  #required(): OpenWriter {
    if (this.#open === null) throw new McpworksError('audit_unavailable', { detail: 'the log is not open' })
    return this.#open
  }

  #discard(): void {
    const database = this.#open?.database
    this.#open = null
    database?.close()
  }

  #transact<Result>(work: (open: OpenWriter) => Result): Result {
    const open = this.#required()
    try {
      open.statements.begin.run()
      const result = work(open)
      this.#writeHead(open)
      open.statements.commit.run()
      return result
    } catch (error) {
      // Closing rolls back. The trees and counters in memory are ahead of the database now: drop them with it.
      this.#discard()
      throw error
    }
  }

  #reload(): void {
    this.#discard()
    const { path, maxPages, masterKey } = this.#settings
    const database = openWritable({ path, maxPages, migrations: auditMigrations, checkpointPages: 500 })
    try {
      const identity = loadLogIdentity(database, masterKey)
      const stored = readHead(database)
      this.#epoch ??= stored.epoch + 1
      this.#open = {
        database,
        statements: prepareAuditStatements(database),
        identity: { ...identity, epoch: this.#epoch, masterKey },
        logs: new Map(),
        keys: new SubjectKeys(database, { masterKey, epoch: this.#epoch }),
        dirty: new Set(),
        unfinished: new Map(findOpenDecisions(database, stored.openFrom).map(({ call, seq }) => [call, seq])),
        openFrom: stored.openFrom,
        nextSeq: stored.nextSeq,
        lastHash: stored.lastHash,
        checkpoints: stored.checkpoints,
      }
    } catch (error) {
      database.close()
      throw error
    }
  }

  #insert(open: OpenWriter, item: Omit<AppendItem, 'ticket'>): { id: string; index: number } {
    const { identity, statements } = open
    const { kind, call, timeMs } = item
    const log = this.#logFor(open, item.namespace)
    const tree = this.#treeFor(open, log, item.timeMs)
    const seq = open.nextSeq
    const id = recordId(timeMs, seq, this.#random)
    const bodies = bodiesOf(item)
    const dataKey = bodies.size === 0 ? null : this.#dataKeyFor(open, log, item.subject)
    const box = dataKey === null ? null : sealBodies(dataKey.key, this.#random, id, bodies)
    const reference = (part: BodyPart) => box?.references.get(part) ?? null
    const prevHash = open.lastHash === null ? null : (`sha256:${Buffer.from(open.lastHash).toString('hex')}` as const)
    const json = sealRecord(item.text, kind, {
      id,
      writer: { id: identity.logId, epoch: identity.epoch, seq, prevHash },
      input: reference('input'),
      output: reference('output'),
      engineInput: reference('engine_input'),
    })
    const leaf = leafHash(json)
    const index = tree.firstIndex + tree.hashes.size
    statements.insertRecord.run(seq, log.log, index, id, timeMs, kind, call, item.principal, leaf, json)
    if (box !== null && dataKey !== null) statements.insertBody.run(seq, dataKey.id, box.sealed)
    for (const tile of tree.hashes.append(leaf)) {
      statements.insertTile.run(tree.tree, tile.level, tile.index, tile.root, tile.hashes)
    }
    open.nextSeq += 1
    open.lastHash = leaf
    log.lastTimeMs = timeMs
    if (item.allows) open.unfinished.set(call, seq)
    else if (kind === 'outcome' || kind === 'abandoned') open.unfinished.delete(call)
    open.dirty.add(log)
    if (tree.hashes.size - tree.checkpointed >= leavesPerCheckpoint) this.#signCheckpoint(open, log, tree)
    return { id, index }
  }

  /**
   * The tree that a record of this time goes to. Begins one where the month is over: closes the one before with a last
   * checkpoint, and says so in the new one's first leaf. A clock that steps back goes on with the newest tree.
   */
  #treeFor(open: OpenWriter, log: AuditLogState, timeMs: number): OpenTree {
    const period = logPeriod(timeMs)
    const former = log.open
    if (former !== null && period <= former.period) return former
    if (former !== null && former.hashes.size > former.checkpointed) this.#signCheckpoint(open, log, former)
    const firstIndex = former === null ? 0 : former.firstIndex + former.hashes.size
    const { lastInsertRowid } = open.statements.insertTree.run(log.log, period, firstIndex)
    const signer = treeSigner(open.identity, log.namespace, period)
    const hashes = new LogTree()
    const next = { tree: Number(lastInsertRowid), period, firstIndex, hashes, signer, checkpointed: 0 }
    log.open = next
    if (former !== null) this.#insert(open, periodItem(log.namespace, former, period, timeMs))
    return next
  }

  #logFor(open: OpenWriter, namespace: string): AuditLogState {
    const known = open.logs.get(namespace)
    if (known !== undefined) return known
    const loaded = loadLogState(open.database, open.identity, namespace)
    open.logs.set(namespace, loaded)
    return loaded
  }

  #dataKeyFor(open: OpenWriter, { log, namespace }: AuditLogState, subject: string | null): SubjectKey {
    if (subject === null) throw new McpworksError('internal', { detail: 'bodies without a subject' })
    return open.keys.keyFor(log, namespace, subject)
  }

  #signCheckpoint(open: OpenWriter, log: AuditLogState, tree: OpenTree): void {
    open.checkpoints += 1
    const { size } = tree.hashes
    const note = signCheckpoint({ origin: tree.signer.name, size, root: tree.hashes.root() }, tree.signer)
    open.statements.insertCheckpoint.run(open.checkpoints, tree.tree, size, log.lastTimeMs, note)
    tree.checkpointed = size
    open.dirty.delete(log)
  }

  #writeHead(open: OpenWriter): void {
    const [oldest] = open.unfinished.values()
    const head: AuditHead = {
      epoch: open.identity.epoch,
      nextSeq: open.nextSeq,
      lastHash: open.lastHash,
      checkpoints: open.checkpoints,
      openFrom: oldest ?? open.nextSeq,
    }
    const mac = headMac(this.#headKey, open.identity.logId, head)
    open.statements.writeHead.run(head.epoch, head.nextSeq, head.lastHash, head.checkpoints, head.openFrom, mac)
  }
}

function bodiesOf(bodies: Pick<AppendItem, 'input' | 'output' | 'engineInput'>): Map<BodyPart, string> {
  const given = new Map<BodyPart, string>()
  if (bodies.input !== null) given.set('input', bodies.input)
  if (bodies.output !== null) given.set('output', bodies.output)
  if (bodies.engineInput !== null) given.set('engine_input', bodies.engineInput)
  return given
}

/** Everything that is only true while the database is open and no write has failed. */
interface OpenWriter {
  readonly database: DatabaseSync
  readonly statements: AuditStatements
  readonly identity: LogIdentity
  readonly logs: Map<string, AuditLogState>
  readonly keys: SubjectKeys
  readonly dirty: Set<AuditLogState>
  /** Sequence numbers of allowed decisions without an outcome, by call, oldest first. */
  readonly unfinished: Map<string, number>
  /** Where the search for them began. */
  readonly openFrom: number
  nextSeq: number
  lastHash: Uint8Array | null
  checkpoints: number
}
