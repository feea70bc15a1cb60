import type { DatabaseSync } from 'node:sqlite'
import type { JsonObject } from '../kernel/index.ts'
import type { KeepingKind } from './log-items.ts'
import type { SubjectKeys } from './subject-keys.ts'

/** What a task works with, inside the writer's transaction. */
export interface KeepingScene {
  readonly database: DatabaseSync
  readonly keys: SubjectKeys
  /** Records what is done, in the same transaction; gives the record's position. */
  readonly record: (namespace: string, kind: KeepingKind, event: JsonObject) => number
  /** Sequence number of the oldest decision whose call is under way; what is at or beyond it stays. */
  readonly openFrom: number
}
