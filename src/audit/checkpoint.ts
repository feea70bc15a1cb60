import { isName } from '../kernel/index.ts'
import { isLogPeriod } from './log-period.ts'
import { openNote, signNote, type NoteSigner, type NoteVerifier } from './signed-note.ts'

/** The state of a tree that a checkpoint commits to. */
export interface Checkpoint {
  /** Names the tree: unique, never used for another one. */
  readonly origin: string
  /** Number of leaves. */
  readonly size: number
  /** RFC 6962 root over them: 32 bytes. */
  readonly root: Uint8Array
}

/**
 * The origin of the tree of a namespace and a period. Also the name of the key that signs its checkpoints.
 * The period is empty for a tree that was begun before trees had one.
 */
export function checkpointOrigin(logId: string, namespace: string, period: string): string {
  return `mcpworks/${logId}/${namespace}${period === '' ? '' : `/${period}`}`
}

/** Which tree of a log an origin names; `null` where it names none of this log. */
export function treeOfOrigin(logId: string, origin: string): { namespace: string; period: string } | null {
  const prefix = `mcpworks/${logId}/`
  if (!origin.startsWith(prefix)) return null
  const [namespace = '', period = '', ...rest] = origin.slice(prefix.length).split('/')
  const fits = rest.length === 0 && isName(namespace) && isLogPeriod(period)
  return fits && checkpointOrigin(logId, namespace, period) === origin ? { namespace, period } : null
}

/** Signs a checkpoint as a note (c2sp.org/tlog-checkpoint), by each of the signers. */
export function signCheckpoint(checkpoint: Checkpoint, ...signers: readonly NoteSigner[]): string {
  const root = Buffer.from(checkpoint.root).toString('base64')
  return signNote(`${checkpoint.origin}\n${checkpoint.size}\n${root}\n`, ...signers)
}

/**
 * The checkpoint in a note, or `null` where the signature is not good or the text is not a checkpoint.
 * Does not compare it with a tree: that is for the caller.
 */
export function openCheckpoint(note: string, verifier: NoteVerifier): Checkpoint | null {
  const text = openNote(note, verifier)
  return text === null ? null : readCheckpoint(text)
}

/** What a checkpoint says, whoever signed it; `null` where the text is not a checkpoint. Believes nothing in it. */
export function readCheckpoint(text: string): Checkpoint | null {
  const [origin, size, root] = text.split('\n')
  if (origin === undefined || size === undefined || root === undefined || !/^(0|[1-9][0-9]{0,15})$/.test(size))
    return null
  const bytes = Buffer.from(root, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== root) return null
  return { origin, size: Number(size), root: bytes }
}
