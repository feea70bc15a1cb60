import type { DatabaseOptions } from '../database-options.ts'

/** What the thread that writes the log to PostgreSQL is started with. */
export interface LogWorkerSettings {
  readonly database: DatabaseOptions
  /** Where the public half of the log's signing key is put, if nothing is there. */
  readonly publicKeyPath: string
  readonly masterKey: Uint8Array
  readonly startedAtMs: number
  /** How long the database may be silent before its sessions are given up. */
  readonly silentMs: number
  /** After how long without its server a writer's open calls count as abandoned. */
  readonly graceMs: number
}
