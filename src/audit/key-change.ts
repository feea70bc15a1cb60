import type { KeyObject } from 'node:crypto'
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import { openNote, parseVerifierKey, signNote, verifierKey, type NoteVerifier } from './signed-note.ts'

/** That one key takes the place of another: a statement that both of them signed. */
export interface KeyChange {
  /** Counts the changes of the log, from 1. */
  readonly number: number
  readonly timeMs: number
  /** Both by the log's name, `mcpworks/<id>`. */
  readonly previous: NoteVerifier
  readonly next: NoteVerifier
}

/**
 * States a change of key as a note (c2sp.org/signed-note) of five lines: the log's name, the number, both verifier key
 * lines, and the time. The former key vouches for the new one, and the new one names whom it follows.
 */
export function signKeyChange(
  { number, timeMs, previous, next }: KeyChange,
  keys: { readonly previous: KeyObject; readonly next: KeyObject },
): string {
  const lines = [previous.name, `key change ${number}`, verifierKey(previous), verifierKey(next)]
  const text = `${[...lines, new Date(timeMs).toISOString()].join('\n')}\n`
  return signNote(text, { ...previous, privateKey: keys.previous }, { ...next, privateKey: keys.next })
}

/** Reads a statement; `null` unless both of its keys signed it. Whether either key is the log's is for the caller. */
export function openKeyChange(note: string): KeyChange | null {
  const [name, title, previousLine, nextLine, time] = note.split('\n')
  const number = /^key change ([1-9][0-9]{0,8})$/.exec(title ?? '')?.[1]
  const previous = parseVerifierKey(previousLine ?? '')
  const next = parseVerifierKey(nextLine ?? '')
  const timeMs = Date.parse(time ?? '')
  if (number === undefined || previous === null || next === null || Number.isNaN(timeMs)) return null
  if (previous.name !== name || next.name !== name) return null
  if (openNote(note, previous) === null || openNote(note, next) === null) return null
  return { number: Number(number), timeMs, previous, next }
}

/** The event of a record of the kind `key-change`. */
export interface KeyChangeEvent {
  readonly number: number
  /** The note of `signKeyChange`. */
  readonly statement: string
  /** Whether the change is older than the namespace. */
  readonly inherited: boolean
}

/** The event as it stands in the record: the keys are in the statement too, and are there for people. */
export function keyChangeEvent(event: KeyChangeEvent): { readonly [key: string]: JsonValue } {
  const [, , previous = '', next = ''] = event.statement.split('\n')
  return { ...event, previous, next }
}

/** Reads the event of a record of the kind `key-change`; `null` where it is not one. */
export function readKeyChangeEvent(event: JsonObject | null): KeyChangeEvent | null {
  if (!isJsonObject(event)) return null
  const { number, statement, inherited } = event
  if (typeof number !== 'number' || typeof statement !== 'string' || typeof inherited !== 'boolean') return null
  return { number, statement, inherited }
}
