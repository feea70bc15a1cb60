import type { DecisionLog, LogSigningKey, RecordKeeper, RecordProver } from '../../../audit/index.ts'
import type { Clock } from '../../../kernel/index.ts'
import { WorkerClient } from '../../worker-client.ts'
import type { DatabaseOptions } from '../database-options.ts'
import type { LogWorkerSettings } from './log-worker-protocol.ts'
import { PostgresDecisionLog } from './postgres-decision-log.ts'

/** How the log on PostgreSQL is opened. */
export interface PostgresLogOptions {
  readonly database: DatabaseOptions
  /** 32 bytes; the same for every server on the database. */
  readonly masterKey: Uint8Array
  readonly clock: Clock
  /** Where the public half of the log's signing key is put, if nothing is there. */
  readonly publicKeyPath: string
  /** How long the database may be silent before appends are refused. */
  readonly silentMs?: number
  /** After how long without its server a writer's open calls count as abandoned. */
  readonly graceMs?: number
}

/** The log, and the end of it. */
export interface PostgresLog {
  readonly decisionLog: DecisionLog & RecordProver
  readonly keeper: RecordKeeper
  readonly logKey: LogSigningKey
  /** Calls that its writer had left without an outcome, and that were ended when it was opened. */
  readonly abandoned: number
  /** Waits for what is being written, signs the last checkpoints and ends all sessions. */
  close(): Promise<void>
}

/**
 * Opens the log as one more writer of the database, and makes its tables where they are missing. Writes `abandoned` for
 * every allowed call that its writer left without an outcome.
 * @throws McpworksError `storage_unavailable`, `config_invalid`
 */
export async function openPostgresLog(options: PostgresLogOptions): Promise<PostgresLog> {
  const { database, masterKey, clock, publicKeyPath, silentMs = 10_000, graceMs = 30_000 } = options
  const settings: LogWorkerSettings = {
    database,
    masterKey,
    publicKeyPath,
    silentMs,
    graceMs,
    startedAtMs: clock.nowMs(),
  }
  const client = await WorkerClient.startAt('./postgres/log/log-worker', settings)
  const decisionLog = new PostgresDecisionLog({ client, database, masterKey, clock, silentMs })
  return {
    decisionLog,
    keeper: decisionLog,
    abandoned: client.abandoned,
    logKey: { rotate: () => client.rotateKey(Math.floor(clock.nowMs())) },
    async close() {
      await client.close()
      await decisionLog.close()
    },
  }
}
