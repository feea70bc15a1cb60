import { existsSync, statSync } from 'node:fs'
import type { DecisionLog, LogSearch, LogSigningKey, RecordKeeper, RecordProver, TreeReader } from '../audit/index.ts'
import type { MasterKey } from '../auth/index.ts'
import { McpworksError, type Clock } from '../kernel/index.ts'
import { onlyServer, type ActiveRole } from './active-role.ts'
import {
  dataDirectoryPaths,
  loadMasterKey,
  masterKeyBytes,
  prepareDataDirectory,
  type DataDirectoryPaths,
} from './data-directory.ts'
import { lockDataDirectory } from './data-directory-lock.ts'
import { LeasedDecisionLog } from './leased-decision-log.ts'
import { LeasedRecordKeeper } from './leased-record-keeper.ts'
import { masterKeyOf } from './master-key.ts'
import { openAuditReader } from './open-audit-reader.ts'
import { acquireLease, type PostgresOptions } from './postgres/acquire-lease.ts'
import { openPostgresLog } from './postgres/log/open-postgres-log.ts'
import { openPostgresAuditReader } from './postgres/log/postgres-audit-reader.ts'
import { SearchClient } from './search/search-client.ts'
import { requireSeenLog } from './require-seen-log.ts'
import { SeenCheckpoints, type SeenDifference } from './seen-checkpoints.ts'
import { createStateStores, type StateStores } from './sql-stores.ts'
import { SqliteDecisionLog } from './sqlite-decision-log.ts'
import { openLeasedDatabase, openStateDatabase } from './state-database.ts'
import { WorkerClient } from './worker-client.ts'

/** How storage is opened. */
export interface StorageOptions {
  /** Made with mode 0700 if it is not there. */
  readonly dataDirectory: string
  readonly clock: Clock
  /** 32 bytes. Without it, `master.key` in the data directory is used, and made at first start. */
  readonly masterKey?: Uint8Array
  /** Upper bound of the audit database in pages of 4096 bytes. Reaching it is the same as a full disk. */
  readonly auditMaxPages?: number
  /** The database of state and log; absent where both are in the data directory. */
  readonly postgres?: PostgresOptions
  /** Goes on with a log that is not as this data directory has seen it: one that was put back. */
  readonly acceptOlderLog?: boolean
}

/** All ports that keep something. */
export interface Storage extends StateStores {
  readonly decisionLog: DecisionLog & RecordProver
  readonly keeper: RecordKeeper
  readonly logSearch: LogSearch
  /** The log's signed trees, over a connection of its own. */
  readonly trees: TreeReader
  /** The key that signs them. */
  readonly logKey: LogSigningKey
  readonly masterKey: MasterKey
  readonly role: ActiveRole
  /** Calls of former runs that had no outcome, and were ended when the log was opened. */
  readonly abandoned: number
  /** How the log was found to be another one than this data directory has seen, where that is accepted. */
  readonly differences: readonly SeenDifference[]
  /** Waits for what is being written, signs the last checkpoints, closes and gives the data directory free. */
  close(): Promise<void>
}

/**
 * Opens a data directory for this process alone and writes `abandoned` for every allowed call that a former process
 * left without an outcome. Nothing is written by this thread: one worker owns both databases. With a database of
 * PostgreSQL, waits until no other server is active on it. A log that was put back since this data directory saw it is
 * gone on with only where that is accepted.
 * @throws McpworksError `data_directory_in_use`, `storage_unavailable`
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { dataDirectory } = options
  if (options.masterKey !== undefined && options.masterKey.length !== masterKeyBytes) {
    throw new McpworksError('config_invalid', { message: `The master key must be ${masterKeyBytes} bytes.` })
  }
  const paths = dataDirectoryPaths(dataDirectory)
  prepareDataDirectory(dataDirectory, paths)
  const lock = lockDataDirectory(paths)
  try {
    const opened = await (options.postgres === undefined
      ? openOnSqlite(options, paths)
      : openOnPostgres(options, paths, options.postgres))
    return {
      ...opened,
      async close() {
        try {
          await opened.close()
        } finally {
          lock.release()
        }
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openOnSqlite(options: StorageOptions, paths: DataDirectoryPaths): Promise<Storage> {
  const { dataDirectory, acceptOlderLog: accept = false } = options
  const isNew = !existsSync(paths.audit) || statSync(paths.audit).size === 0
  const masterKey = options.masterKey ?? loadMasterKey(paths.masterKey, isNew)
  const seen = SeenCheckpoints.read(paths.seen)
  // Before the log is opened for writing: nothing is signed on top of one that was put back.
  const differences = await requireSeenLog(seen, isNew ? null : () => openAuditReader({ dataDirectory }), accept)
  const log = await openSqliteLog(options, paths, masterKey, seen)
  const state = openStateDatabase(log.client)
  return {
    differences,
    ...createStateStores(state),
    decisionLog: log.decisionLog,
    keeper: log.decisionLog,
    logSearch: log.logSearch,
    trees: log.trees,
    logKey: log.logKey,
    masterKey: masterKeyOf(masterKey),
    role: onlyServer,
    abandoned: log.client.abandoned,
    async close() {
      await log.close()
      await state.destroy()
    },
  }
}

async function openOnPostgres(
  options: StorageOptions,
  paths: DataDirectoryPaths,
  postgres: PostgresOptions,
): Promise<Storage> {
  const { lease, masterKey } = await acquireLease(postgres, paths, options.masterKey ?? null)
  // Closed in the other order, so that the lease goes last: another server is active from then on.
  const opened: (() => Promise<void>)[] = [() => lease.close()]
  const { url, caFile, silentMs } = postgres
  const session = { database: { url, caFile }, silentMs }
  try {
    const openReader = () => openPostgresAuditReader({ ...session, masterKey, publicKeyLine: null })
    const trees = openReader()
    opened.push(() => trees.close())
    const seen = SeenCheckpoints.read(paths.seen)
    const isNew = (await trees.publicKeyLine()) === null
    const differences = await requireSeenLog(seen, isNew ? null : openReader, options.acceptOlderLog ?? false)
    opened.push(() => seen.close(trees))
    const log = await openPostgresLog({ ...session, masterKey, clock: options.clock, publicKeyPath: paths.publicKey })
    opened.push(() => log.close())
    seen.follow(trees)
    const logSearch = new SearchClient({ log: session, searchPath: paths.search })
    opened.push(() => logSearch.close())
    const state = openLeasedDatabase(lease)
    opened.push(() => state.destroy())
    return {
      ...createStateStores(state),
      decisionLog: new LeasedDecisionLog(log.decisionLog, lease),
      logSearch,
      trees,
      logKey: leasedSigningKey(log.logKey, lease),
      keeper: new LeasedRecordKeeper(log.keeper, lease),
      masterKey: masterKeyOf(masterKey),
      role: lease,
      abandoned: log.abandoned,
      differences,
      close: () => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened).catch(() => {})
    throw error
  }
}

/** The key as a server may change it that acts only while it holds the lease. */
function leasedSigningKey(key: LogSigningKey, role: Pick<ActiveRole, 'lost'>): LogSigningKey {
  return {
    async rotate() {
      const lost = role.lost()
      if (lost !== null) throw new McpworksError('audit_unavailable', { detail: `the lease is lost: ${lost}` })
      return key.rotate()
    },
  }
}

/** Closes what was opened, the last first. A part that cannot end well does not keep the others from ending. */
async function closeAll(opened: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of opened.splice(0).toReversed()) await close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** The log of a data directory, and the worker that writes it and state. */
interface OpenedLog {
  readonly client: WorkerClient
  readonly decisionLog: SqliteDecisionLog
  readonly logSearch: LogSearch
  readonly trees: TreeReader
  readonly logKey: LogSigningKey
  close(): Promise<void>
}

async function openSqliteLog(
  { dataDirectory, clock, auditMaxPages }: StorageOptions,
  paths: DataDirectoryPaths,
  masterKey: Uint8Array,
  seen: SeenCheckpoints,
): Promise<OpenedLog> {
  const client = await WorkerClient.start({
    auditPath: paths.audit,
    statePath: paths.state,
    publicKeyPath: paths.publicKey,
    masterKey,
    startedAtMs: clock.nowMs(),
    auditMaxPages: auditMaxPages ?? null,
  })
  const decisionLog = new SqliteDecisionLog({ client, auditPath: paths.audit, masterKey, clock })
  const logSearch = new SearchClient({ log: paths.audit, searchPath: paths.search })
  const trees = openAuditReader({ dataDirectory, masterKey })
  seen.follow(trees)
  return {
    client,
    decisionLog,
    logSearch,
    trees,
    logKey: { rotate: () => client.rotateKey(Math.floor(clock.nowMs())) },
    async close() {
      await logSearch.close()
      await client.close()
      await decisionLog.close()
      await seen.close(trees)
      await trees.close()
    },
  }
}
