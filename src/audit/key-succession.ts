import { openKeyChange } from './key-change.ts'
import { openNote, parseVerifierKey, type NoteVerifier } from './signed-note.ts'

/** The keys of a log, each vouched for by the one before it. */
export interface KeySuccession {
  readonly logId: string
  /** Raw public keys, the oldest first. Key `n` is in force after `n` changes. */
  readonly keys: readonly Uint8Array[]
  /** The statements of the changes: `changes[n]` leads from key `n` to key `n + 1`. */
  readonly changes: readonly string[]
  /** Place of the first key that the verifier was given: whoever trusts it alone trusts it and those after it. */
  readonly given: number
}

/** The succession, or a sentence on what is wrong with it. */
export type SuccessionVerdict =
  | { readonly ok: true; readonly succession: KeySuccession }
  | { readonly ok: false; readonly problem: string }

/**
 * Builds the succession of a log's keys from verifier key lines that the verifier was given, and from statements of
 * which nothing is believed. Every statement must be signed by both of its keys and follow the one before it, and the
 * given keys must stand in the succession side by side: what they vouch for is accepted, and nothing else.
 * The name of a given key may be that of the log (`mcpworks/<id>`) or of one of its trees.
 */
export function keySuccession(givenLines: string, statements: readonly string[]): SuccessionVerdict {
  const given = readKeys(givenLines)
  const [first] = given ?? []
  const logId = first?.name.split('/')[1]
  if (given === null || first === undefined || logId === undefined || !given.every(isOf(logId)))
    return wrong("The log's public key is malformed.")
  const keys: Uint8Array[] = []
  for (const [at, statement] of statements.entries()) {
    const change = openKeyChange(statement)
    if (change === null) return wrong(`Key change ${at + 1} is not signed by both of its keys.`)
    if (change.previous.name !== `mcpworks/${logId}`) return wrong(`Key change ${at + 1} is of another log.`)
    if (at === 0) keys.push(change.previous.publicKey)
    const last = keys.at(-1)
    if (change.number !== at + 1 || last === undefined || Buffer.compare(last, change.previous.publicKey) !== 0)
      return wrong(`Key change ${at + 1} does not follow the one before it.`)
    keys.push(change.next.publicKey)
  }
  if (keys.length === 0) keys.push(first.publicKey)
  const place = keys.findIndex((key) => Buffer.compare(key, first.publicKey) === 0)
  if (place < 0) return wrong('The public key that was given is none of this log.')
  for (const [at, { publicKey }] of given.entries()) {
    const key = keys[place + at]
    if (key === undefined)
      return wrong('A later public key was given than the log has: the log was put back to before a change of its key.')
    if (Buffer.compare(key, publicKey) !== 0)
      return wrong('The log names another key in place of one that was given: it is a fork, or the key was stolen.')
  }
  return { ok: true, succession: { logId, keys, changes: statements, given: place } }
}

/** Places of the keys that signed a note under a name. */
export function signersOf({ keys }: Pick<KeySuccession, 'keys'>, name: string, note: string): number[] {
  return keys.flatMap((publicKey, place) => (openNote(note, { name, publicKey }) === null ? [] : [place]))
}

/** The verifier keys on the lines of a text, the oldest first; `null` where one is malformed or there is none. */
export function readKeys(lines: string): NoteVerifier[] | null {
  const keys = lines.trim().split('\n').map(parseVerifierKey)
  const good = keys.filter((key) => key !== null)
  return good.length === keys.length && good.length > 0 ? good : null
}

function isOf(logId: string): (key: NoteVerifier) => boolean {
  return ({ name }) => name.split('/')[0] === 'mcpworks' && name.split('/')[1] === logId
}

function wrong(problem: string): SuccessionVerdict {
  return { ok: false, problem }
}
