import type { TreeName } from '../read-tile.ts'

/** A signed checkpoint on its way to where it is kept. */
export interface ShippedCheckpoint extends TreeName {
  readonly size: number
  readonly timeMs: number
  /** The signed note. */
  readonly note: string
}

/** What came of handing checkpoints on. */
export type ShipOutcome =
  | { readonly status: 'taken' }
  /** Another checkpoint of the same tree and size is kept there. */
  | { readonly status: 'conflict'; readonly path: string; readonly problem: string; readonly theirs: string | null }

/** A place, best on another machine, where signed checkpoints are kept. Rejects with PublishFailure where it does not answer. */
export interface CheckpointSink {
  /** For people. */
  readonly name: string
  /**
   * The newest checkpoint under an origin that is kept there, as far as the place can tell, `null` where it has none.
   * Nothing of it is believed. Absent where a place tells nothing.
   */
  kept?(origin: string): Promise<string | null>
  /** Durable when it resolves. May be given the same checkpoint again. */
  take(checkpoints: readonly ShippedCheckpoint[]): Promise<ShipOutcome>
}
