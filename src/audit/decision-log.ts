import type { Receipt, RecordDraft, StoredRecord } from './record.ts'
import type { BodyPart, OpenedBody } from './sealed-bodies.ts'

/** Which records to read. */
export interface RecordQuery {
  readonly namespace: string | null
  readonly call?: string
  /** Only records beyond this index, in the direction of reading. Needs a namespace. */
  readonly afterIndex?: number
  /** Only records written after this one (before it, when descending), over all namespaces. An unknown id finds nothing. */
  readonly afterId?: string
  readonly kinds?: readonly string[]
  readonly principal?: string
  /** Also records whose text was let go: theirs is empty, and the principal is not known of them. */
  readonly withoutText?: true
  /** Newest first when true. */
  readonly descending?: boolean
  /** 1-1000. */
  readonly limit: number
}

/** Health of the log. `reason` is a sentence for operators; it names no path. */
export type LogHealth = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** What shows that a record is in the log, for somebody who has the log's public key. Hashes are base64. */
export interface RecordProof {
  readonly namespace: string
  /** Position in the namespace. */
  readonly index: number
  /** Names the tree, with the namespace: a UTC month, or empty for a tree that was begun before trees had a period. */
  readonly period: string
  /** Position in the tree. */
  readonly leafIndex: number
  /** RFC 6962 hash of the record's text. */
  readonly leafHash: string
  /** The tree's newest signed checkpoint, if it covers the record. */
  readonly checkpoint: { readonly size: number; readonly note: string } | null
  /** RFC 6962 inclusion proof of the leaf in the checkpoint's tree, lowest hash first; empty without a checkpoint. */
  readonly inclusion: readonly string[]
}

/**
 * The append port. One writer, group commit: many concurrent `append` calls share one sync.
 * `append` resolves only when the record is on stable storage, and rejects with McpworksError
 * `audit_unavailable` when it is not; the caller must then not act, or must withhold its answer.
 */
export interface DecisionLog {
  append(draft: RecordDraft): Promise<Receipt>
  read(query: RecordQuery): Promise<StoredRecord[]>
  /** The decrypted body beside a record, `null` where there is none (level, erasure). */
  readBody(recordId: string, part: BodyPart): Promise<OpenedBody | null>
  health(): LogHealth
  /** Tries whether a durable write works, after a failure as well as before one; resolves with the state found. */
  recheck(): Promise<LogHealth>
  close(): Promise<void>
}

/** What became of the log's signing key. Both by verifier key line. */
export interface KeyRotation {
  /** Counts the changes of the log's key, from 1. */
  readonly number: number
  readonly previous: string
  readonly next: string
}

/** The key that signs the log's checkpoints. */
export interface LogSigningKey {
  /**
   * Makes a new key and lets it take the place of the one in force, which vouches for it and is deleted. Every open tree
   * gets a record of it and a checkpoint that both keys signed. When it rejects, the key in force is still the former one,
   * or the change is durable and its answer was lost.
   * @throws McpworksError `audit_unavailable`
   */
  rotate(): Promise<KeyRotation>
}

/** Shows records to others. */
export interface RecordProver {
  /** Proof of a record's place, `null` where there is no such record. Does not verify the log. */
  prove(recordId: string): Promise<RecordProof | null>
}
