import type { JsonObject } from '../../../kernel/index.ts'
import type { KeepingKind } from '../../log-items.ts'
import type { Session } from '../session.ts'
import type { WriterKeys } from './writer-keys.ts'

/** What a task works with, inside a writer's transaction. */
export interface KeepingScene {
  readonly session: Session
  readonly keys: Pick<WriterKeys, 'isOf'>
  /** Records what is done, in the same transaction; gives the record's position. */
  readonly record: (namespace: string, kind: KeepingKind, event: JsonObject) => Promise<number>
}
