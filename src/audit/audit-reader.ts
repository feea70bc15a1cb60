import type { KeyObject } from 'node:crypto'

/** A record's row as it lies on disk. Nothing in it is believed before the verifier has checked it. */
export interface RecordRow {
  /** Position in the order of all records. */
  readonly seq: number
  /** The number of its writer (`writerIdOf`), and its position in all that that one wrote. */
  readonly writer: number
  readonly position: number
  /** `null` where the row points to no log. */
  readonly namespace: string | null
  readonly index: number
  readonly id: string
  readonly timeMs: number
  readonly kind: string
  readonly call: string
  readonly principal: string | null
  /** As it is stored, in lower-case hexadecimal. */
  readonly leafHash: string
  /** Empty where it was let go. */
  readonly json: string
}

/** A tree's row. Its leaves are the records of the namespace from `firstIndex` on, up to where the next tree begins. */
export interface TreeRow {
  /** Counts all trees of the log; ascending, not without gaps. */
  readonly ordinal: number
  /** `null` where the row points to no log. */
  readonly namespace: string | null
  /** UTC month such as `2026-11`, empty for a tree that was begun before trees had a period. */
  readonly period: string
  /** Position of its first leaf in the namespace. */
  readonly firstIndex: number
}

/** A signed checkpoint's row. */
export interface CheckpointRow {
  /** Counts all checkpoints of the writer, from 1. */
  readonly ordinal: number
  /** `null` where the row points to no tree. */
  readonly namespace: string | null
  readonly period: string
  /** Leaves of the tree. */
  readonly size: number
  readonly timeMs: number
  readonly note: string
}

/** A full tile's row. */
export interface TileRow {
  readonly hashes: Uint8Array
  readonly root: Uint8Array
}

/** The row that holds the bodies of one record, and what opens it. */
export interface BodiesRow {
  readonly seq: number
  /** The box, as `sealBodies` made it. */
  readonly sealed: Uint8Array
  /** Number of the key that sealed it. */
  readonly dataKey: number
  /** `unopened`: no master key. `erased`: the key is not there. `damaged`: it does not unwrap. */
  readonly key: KeyObject | 'unopened' | 'erased' | 'damaged'
}

/** Where one writer says it is. */
export interface WriterHead {
  readonly writer: number
  /** Starts so far. */
  readonly epoch: number
  readonly nextPosition: number
  /** Leaf hash of its newest record, `null` before the first. */
  readonly lastHash: Uint8Array | null
  /** `unchecked`: no master key. */
  readonly mac: 'good' | 'bad' | 'unchecked'
  /** Highest position that is there in the same snapshot, `null` where there is nothing. */
  readonly newestPosition: number | null
}

/** Where the log says it is, read in one snapshot. */
export interface HeadRow {
  /** Sequence number that the next record gets. */
  readonly nextSeq: number
  /** Records that are durable and wait for their sequence numbers, which are given here as they will get them. */
  readonly waiting: number
  readonly checkpoints: number
  /** `unchecked`: no master key. */
  readonly mac: 'good' | 'bad' | 'unchecked'
  /** Highest sequence number and ordinal that are there in the same snapshot, `null` where there is nothing. */
  readonly newestSeq: number | null
  readonly newestCheckpoint: number | null
  /** Ordinal of the newest tree in the same snapshot, `null` where there is none. */
  readonly newestTree: number | null
  readonly writers: readonly WriterHead[]
  /** Records that no order of the log leads to: before a writer's first position, or of no writer of the log. */
  readonly strays: number
  /** Changes of the signing key that are there in the same snapshot. */
  readonly keyChanges: number
}

/** What is public of the log: its trees, the checkpoints that were signed over them, and their hashes. No record's text. */
export interface TreeReader {
  /**
   * The verifier key lines that lie beside the log, the oldest first, one for each key that it has had. Whoever can change
   * the log can change them too.
   */
  publicKeyLine(): Promise<string | null>
  /** Statements of the changes of the signing key, oldest first (`signKeyChange`). */
  keyChanges(): Promise<string[]>
  /** All of them, in the order in which they were begun. */
  trees(): Promise<TreeRow[]>
  /** Rows from an ordinal on, ascending. */
  checkpoints(fromOrdinal: number, limit: number): Promise<CheckpointRow[]>
  /** The checkpoint of the largest size that is no larger than `upTo`, `null` where none was signed. */
  newestCheckpoint(namespace: string, period: string, upTo?: number): Promise<CheckpointRow | null>
  /**
   * Hashes of complete subtrees of `256^level` leaves, `from` included and `to` not, 32 bytes each; fewer where not all of
   * them are there. At most 256.
   */
  hashes(namespace: string, period: string, level: number, from: number, to: number): Promise<Uint8Array[]>
  close(): Promise<void>
}

/**
 * Read access to a stored log for the verifier: the files are enough, a running server is not disturbed.
 * Rows are only ever added, so the pages of one reading may come from different snapshots.
 */
export interface AuditReader extends TreeReader {
  /** `null` for a log that was never written to. */
  head(): Promise<HeadRow | null>
  /** Rows from a sequence number on, ascending. */
  records(fromSeq: number, limit: number): Promise<RecordRow[]>
  tile(namespace: string, period: string, level: number, index: number): Promise<TileRow | null>
  /** Rows of kind `retention`, `erasure` and `legal-hold` of all namespaces, ascending. */
  removals(): Promise<RecordRow[]>
  /** Bodies of the records `fromSeq..toSeq`, both included, ascending. */
  bodies(fromSeq: number, toSeq: number): Promise<BodiesRow[]>
}
