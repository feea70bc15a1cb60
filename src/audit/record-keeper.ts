import type { EventDraft } from './record.ts'

/** An order that nothing is deleted. */
export interface Hold {
  readonly id: string
  readonly namespace: string
  /** Only what is beside the records of this principal, and the texts of all records; `null` for everything. */
  readonly subject: string | null
  readonly reason: string
  readonly placedBy: string
  readonly placedMs: number
}

/** Somebody who takes the whole log, record by record, and has come so far. */
export interface LogReader {
  readonly name: string
  /** Id of the last record that it is done with, `''` at the beginning of the log. */
  readonly position: string
}

/** What is to expire in one step. */
export interface ExpiryStep {
  readonly namespace: string
  /** `texts` are those of records, with what is beside them. */
  readonly what: 'bodies' | 'texts'
  /** Only of records that are older. */
  readonly beforeMs: number
  /** What is dated later is dated ahead; the time by which `beforeMs` is `days` ago, unless it says. */
  readonly latestMs?: number
  /** The setting that it follows from, for the record. */
  readonly days: number
  /** Who is to have had a text before it goes, with the end of its call; and the age at which nobody is waited for. */
  readonly awaited?: { readonly readers: readonly LogReader[]; readonly untilMs: number }
}

/** Texts that went before a reader of the log had them. */
export interface UnreadTexts {
  readonly reader: string
  readonly records: number
  /** Position of the first of them. */
  readonly since: number
}

/** What one step removed. */
export interface StepResult {
  /** Boxes, or texts. */
  readonly removed: number
  /** Whether there may be more to do at once. */
  readonly more: boolean
  /** Whether a hold kept something. */
  readonly held: boolean
  /** Position of the row at which it stops because the row says something else than its text. */
  readonly stoppedAt?: number
  /** Who had not had how many of the texts that went. */
  readonly unread?: readonly UnreadTexts[]
  /** What an erasure was to sweep and does not cover, as the record of kind `alarm` in the same commit says it. */
  readonly uncovered?: { readonly namespace: string; readonly event: EventDraft['event'] }
}

/** What became of an erasure. */
export type ErasureResult =
  /** Nothing was erased: something is on hold wherever there is anything of the principal. */
  | { readonly kind: 'held'; readonly holds: readonly Hold[] }
  /** `keys`: how many were deleted. What they sealed cannot be read by anybody from now on. */
  | {
      readonly kind: 'erased'
      readonly namespaces: readonly { readonly namespace: string; readonly keys: number }[]
      /** In the way in the other namespaces, where nothing was erased. */
      readonly holds: readonly Hold[]
    }

/**
 * Takes out of the log what may not be kept, and keeps what may not be taken out. Each removal and its record are one
 * commit, in which holds are looked at; what a step does is bounded, so that appends wait a moment and no longer.
 * Hashes, trees and chain stay: what is left verifies, and what is gone must be covered by such a record.
 * All reject with McpworksError `audit_unavailable` where nothing was done, `storage_unavailable` where reading failed.
 */
export interface RecordKeeper {
  /** In force, in all namespaces or in one. */
  holds(namespace: string | null): Promise<Hold[]>
  placeHold(hold: Hold): Promise<void>
  /** The hold that was lifted, `null` where there is no such hold. */
  liftHold(lift: {
    readonly namespace: string
    readonly id: string
    readonly by: string
    readonly reason: string
  }): Promise<Hold | null>
  expire(step: ExpiryStep): Promise<StepResult>
  /**
   * Deletes the keys of a principal in all namespaces but those where a hold is in the way. What they sealed is deleted in
   * steps afterwards. Who was in the way is on record there.
   */
  erase(erasure: { readonly subject: string; readonly by: string; readonly call: string }): Promise<ErasureResult>
  /** Deletes some of what erased keys had sealed, as far as the records of the erasure and of the calls say that it was that. */
  sweepErased(): Promise<StepResult>
}
