import type { KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import {
  logPeriod,
  LogTree,
  signCheckpoint,
  signKeyChange,
  verifierKey,
  type KeyRotation,
  type NoteSigner,
} from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { headMac, readOwnHead, type AuditHead } from './audit-head.ts'
import {
  loadLogState,
  treeEndMs,
  treeSigner,
  type AuditLogState,
  type LogIdentity,
  type OpenTree,
} from './audit-log-state.ts'
import { auditMigrations } from './audit-migrations.ts'
import { prepareAuditStatements, type AuditStatements } from './audit-statements.ts'
import { carryOutKeeping } from './carry-out-keeping.ts'
import { headKey } from './data-keys.ts'
import type { KeepingAnswer, KeepingTask } from './keeping-task.ts'
import { loadLogIdentity, makeSigningKey, replaceSigningKey } from './load-log-identity.ts'
import { abandonedItem, keepingItem, keyChangeItem, periodItem } from './log-items.ts'
import { findOpenDecisions } from './open-decisions.ts'
import { randomPool } from './random-pool.ts'
import { recordId } from './record-id.ts'
import { sealItem } from './seal-item.ts'
import { foldLog, forgetOldPages, openWritable } from './sqlite-database.ts'
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
   * Opens the log, begins a new epoch and writes `abandoned` for every allowed decision without an outcome; how many.
   * @throws SQLite's own errors; McpworksError `storage_unavailable`
   */
  start(nowMs: number): number {
    this.#reload()
    return this.#transact((open) => {
      const lost = findOpenDecisions(open.database, open.openFrom)
      for (const decision of lost) this.#insert(open, abandonedItem(decision, nowMs))
      return lost.length
    })
  }

  /** The verifier key lines of the log, one for each key that it has had, the oldest first. */
  keyLines(): string[] {
    const { identity, keyChanges } = this.#required()
    return [...keyChanges.map((change) => change.split('\n')[2] ?? ''), verifierKey(logKey(identity))]
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

  /**
   * Makes a new signing key and puts it in the place of the one in force. Every log gets a record that names it, and a
   * checkpoint over that record which both keys signed; all in one transaction.
   * @throws SQLite's own errors: the former key stays in force
   */
  rotateKey(timeMs: number): KeyRotation {
    // What is overwritten is zeroed in the file, too: the former key is not to be found in a free page.
    this.#required().database.exec('PRAGMA secure_delete = ON')
    const rotation = this.#transact((open) => this.#changeKey(open, timeMs))
    forgetOldPages(this.#required().database)
    return rotation
  }

  /** Carries a task out with its records, all of it or nothing, in one transaction. @throws SQLite's own errors */
  keep(task: KeepingTask, nowMs: number): KeepingAnswer {
    const answer = this.#transact((open) => {
      const [oldest] = open.unfinished.values()
      return carryOutKeeping(task, {
        database: open.database,
        keys: open.keys,
        openFrom: oldest ?? open.nextSeq,
        record: (namespace, kind, event) =>
          this.#insert(open, keepingItem(namespace, kind, event, Math.floor(nowMs))).index,
      })
    })
    // Keys that were erased stand in the write-ahead log until it is folded.
    if (task.kind === 'erase') this.#required().database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
    return answer
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
    const database = openWritable({ path, maxPages, migrations: auditMigrations, checkpointPages: 1000 })
    try {
      const identity = loadLogIdentity(database, masterKey)
      const stored = readOwnHead(database, this.#headKey, identity.logId)
      this.#epoch ??= stored.epoch + 1
      this.#open = {
        database,
        statements: prepareAuditStatements(database),
        identity: { ...identity, epoch: this.#epoch, masterKey },
        logs: new Map(),
        keyChanges: readKeyChanges(database),
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
    const place = { id, writerId: identity.logId, epoch: identity.epoch, position: seq, lastHash: open.lastHash }
    const keyOf = (subject: string): SubjectKey => open.keys.keyFor(log.log, log.namespace, subject)
    const { json, leaf, bodies } = sealItem(item, place, keyOf, this.#random)
    const index = tree.firstIndex + tree.hashes.size
    statements.insertRecord.run(seq, log.log, index, id, timeMs, kind, call, item.principal, leaf, json)
    if (bodies !== null) statements.insertBody.run(seq, bodies.dataKey, bodies.sealed)
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
    const former = log.open
    if (former !== null && timeMs < former.endsMs) return former
    const period = logPeriod(timeMs)
    if (former !== null && period <= former.period) return former
    if (former !== null && former.hashes.size > former.checkpointed) this.#signCheckpoint(open, log, former)
    const firstIndex = former === null ? 0 : former.firstIndex + former.hashes.size
    const { lastInsertRowid } = open.statements.insertTree.run(log.log, period, firstIndex)
    const signer = treeSigner(open.identity, log.namespace, period)
    const hashes = new LogTree()
    const endsMs = treeEndMs(period)
    const next = { tree: Number(lastInsertRowid), period, endsMs, firstIndex, hashes, signer, checkpointed: 0 }
    log.open = next
    if (former !== null) {
      this.#insert(open, periodItem(log.namespace, former, period, timeMs))
      return next
    }
    // A namespace that is younger than a change of the key bears it too: it is provable from the first key on by itself.
    for (const [at, statement] of open.keyChanges.entries())
      this.#insert(open, keyChangeItem(log.namespace, { number: at + 1, statement, inherited: true }, timeMs))
    return next
  }

  #changeKey(open: OpenWriter, timeMs: number): KeyRotation {
    const { database, identity } = open
    const number = open.keyChanges.length + 1
    const made = makeSigningKey(identity.masterKey)
    const [former, next] = [logKey(identity), logKey({ ...identity, key: made.key })]
    const change = { number, timeMs, previous: former, next }
    const statement = signKeyChange(change, { previous: former.privateKey, next: next.privateKey })
    const namespaces = database.prepare('SELECT namespace FROM logs ORDER BY log').all()
    for (const row of namespaces) {
      const log = this.#logFor(open, String(row['namespace']))
      const tree = this.#treeFor(open, log, timeMs)
      // So that the record is not the leaf at which a checkpoint is due by itself, which one key alone would sign.
      if (tree.hashes.size > tree.checkpointed) this.#signCheckpoint(open, log, tree)
      this.#insert(open, keyChangeItem(log.namespace, { number, statement, inherited: false }, timeMs))
      const signer = { name: tree.signer.name, ...made.key }
      this.#signCheckpoint(open, log, tree, signer)
      log.open = { ...tree, signer }
    }
    replaceSigningKey(database, made)
    database.prepare('INSERT INTO key_changes (number, statement) VALUES (?, ?)').run(number, statement)
    open.keyChanges.push(statement)
    open.identity = { ...identity, key: made.key }
    return { number, previous: verifierKey(former), next: verifierKey(next) }
  }

  #logFor(open: OpenWriter, namespace: string): AuditLogState {
    const known = open.logs.get(namespace)
    if (known !== undefined) return known
    const loaded = loadLogState(open.database, open.identity, namespace)
    open.logs.set(namespace, loaded)
    return loaded
  }

  /** Signs the open tree of a log as it is; with a second signer, by both. */
  #signCheckpoint(open: OpenWriter, log: AuditLogState, tree: OpenTree, second?: NoteSigner): void {
    open.checkpoints += 1
    const { size } = tree.hashes
    const signers = second === undefined ? [tree.signer] : [tree.signer, second]
    const note = signCheckpoint({ origin: tree.signer.name, size, root: tree.hashes.root() }, ...signers)
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

/** Everything that is only true while the database is open and no write has failed. */
interface OpenWriter {
  readonly database: DatabaseSync
  readonly statements: AuditStatements
  identity: LogIdentity
  /** Statements of the changes of the signing key, oldest first. */
  readonly keyChanges: string[]
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

/** The signing key by the name of the log, which the keys of all trees are known by together. */
function logKey({ logId, key }: LogIdentity): NoteSigner {
  return { name: `mcpworks/${logId}`, ...key }
}

function readKeyChanges(database: DatabaseSync): string[] {
  const rows = database.prepare('SELECT statement FROM key_changes ORDER BY number').all()
  return rows.map((row) => String(row['statement']))
}
