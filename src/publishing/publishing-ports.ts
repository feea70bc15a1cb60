import type { CosignatureStore, LogPositionStore, TreeName, TreeReader } from '../audit/index.ts'
import type { GuardedFetch } from '../egress/index.ts'
import type { Clock } from '../kernel/index.ts'

/** Something outside that is not of this log as it is here: one of the two was put back, rewritten, or written twice. */
export interface LogConflict {
  /** Where it was found: `directory`, `witness NAME`. */
  readonly where: string
  readonly tree: TreeName
  /** A sentence. */
  readonly problem: string
  /** The newest checkpoint here. */
  readonly ours: string
  /** What lies there, where that is a note. */
  readonly theirs: string | null
}

/** What publishing stands on. */
export interface PublishingPorts {
  readonly reader: TreeReader
  readonly positions: LogPositionStore
  readonly cosignatures: CosignatureStore
  readonly fetch: GuardedFetch
  readonly clock: Clock
  readonly networks: readonly string[]
  /** Gives up what is under way. */
  readonly signal: AbortSignal
  /** Told of a conflict. Durable when it resolves. */
  readonly alarm: (conflict: LogConflict) => Promise<void>
}
