import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { createFieldNames, folded } from '../../policy/index.ts'
import { maxTextNesting, nestedJsonOf } from './json-text.ts'
import { Unfulfillable } from './unfulfillable.ts'
import { leastLength, ValueTrie } from './value-trie.ts'

/** What stands in the place of something that was taken out. */
export const redactedMark = '[redacted]'

/** What is put in the place of a value; `undefined` leaves its member or element out. */
export type Mark = (taken: JsonValue) => JsonValue | undefined

/** Redacts all values of one result: first each is struck, then each is swept. */
export interface Redaction {
  /**
   * A copy without the members of the names, at any depth and in strings that are JSON; remembers their values.
   * @throws Unfulfillable where a name stands as a value (a list of columns, a pair of field and value): what belongs to
   * it cannot be told; and for what is nested too deep
   */
  strike(value: JsonValue): JsonValue
  /** A copy without strings, numbers and names of members that hold one of the remembered values. */
  sweep(value: JsonValue): JsonValue
  /** How many places were redacted, under each name and by value. */
  counted(): { readonly named: number; readonly byValue: number }
}

const maxDepth = 200
/** Names of members; others, such as addresses, are values that an object is keyed by. */
const plainName = /^[\p{L}_][\p{L}\p{N}_-]*$/u
const identifier = /[\p{L}_][\p{L}\p{N}\p{M}\p{Cf}_-]*/gu
const opens = /(?:^|[\t\n\r,;|<>([{"'`&?]|\s\s)$/u
const closes = /^(?:$|[\t\n\r,;|<>)\]}"'`]|\s\s)/u
const assigns = /^[\\"'`)\]]*\s*[:=]/u
/** Members that say what another member is about, as in `{"field": "email", "value": ...}`. */
const labels = /^(?:field|name|key|label|column|attribute|property|header|title)$/iu

/** A redaction of fields with these names. Names are compared as people read them, see `FieldNames`. */
export function createRedaction(fields: readonly string[], mark: Mark): Redaction {
  const names = createFieldNames(fields)
  const values = new ValueTrie()
  const cleanNames = new Set<string>()
  let named = 0
  let byValue = 0

  function remember(value: JsonValue, depth: number): void {
    if (depth > maxDepth) throw new Unfulfillable('the result is nested too deep')
    if (Array.isArray(value)) for (const element of value) remember(element, depth + 1)
    else if (isJsonObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        if (!plainName.test(name)) values.add(folded(name))
        remember(member, depth + 1)
      }
    } else if (typeof value === 'string') rememberText(value, depth)
    else if (typeof value === 'number') values.add(folded(String(value)))
  }

  function rememberText(text: string, depth: number): void {
    const nested = nestedJsonOf(text)
    if (nested !== undefined) remember(nested, depth + 1)
    else values.add(folded(text))
  }

  function struck(value: JsonValue, depth: number, nesting: number): JsonValue {
    if (depth > maxDepth) throw new Unfulfillable('the result is nested too deep')
    if (typeof value === 'string') return struckText(value, depth, nesting)
    if (Array.isArray(value)) {
      refuseColumns(value)
      return value.map((element) => struck(element, depth + 1, nesting))
    }
    if (!isJsonObject(value)) return value
    const members: [string, JsonValue][] = []
    for (const [name, member] of Object.entries(value)) {
      if (!names.has(name)) {
        if (typeof member === 'string' && labels.test(name) && !/\s/u.test(member)) refuseName(names.has(member))
        members.push([name, struck(member, depth + 1, nesting)])
      } else {
        named += 1
        remember(member, depth + 1)
        const left = mark(member)
        if (left !== undefined) members.push([name, left])
      }
    }
    return Object.fromEntries(members)
  }

  function struckText(text: string, depth: number, nesting: number): string {
    const nested = nestedJsonOf(text)
    if (nested !== undefined) {
      if (nesting >= maxTextNesting) throw new Unfulfillable('JSON stands in strings too many times')
      return JSON.stringify(struck(nested, depth + 1, nesting + 1))
    }
    if (!names.mayBeIn(text)) return text
    refuseName(names.is(text))
    if (!speaksOf(text)) return text
    named += 1
    return redactedMark
  }

  /** A list of short texts with one of the names is the head of a table. */
  function refuseColumns(array: readonly JsonValue[]): void {
    const isList = array.every((element) => typeof element === 'string' && element.split(/\s+/u).length <= 3)
    if (isList) refuseName(array.some((element) => typeof element === 'string' && names.has(element)))
  }

  /** Whether one of the names stands in the text as if it named something: `email: x`, `<email>`, a heading of a table. */
  function speaksOf(text: string): boolean {
    for (const { 0: word, index } of text.matchAll(identifier)) {
      if (!names.has(word)) continue
      const after = text.slice(index + word.length, index + word.length + 8)
      if (assigns.test(after)) return true
      const before = text.slice(Math.max(0, index - 8), index)
      // "name, email, phone": one blank behind a comma is part of the comma.
      if ((opens.test(before) || /[,;|]\s$/u.test(before)) && closes.test(after)) return true
    }
    return false
  }

  function swept(value: JsonValue, depth: number): JsonValue | undefined {
    if (typeof value === 'string') return sweptText(value)
    if (typeof value === 'number') return holds(String(value)) ? mark(value) : value
    if (Array.isArray(value))
      return value.map((element) => swept(element, depth + 1)).filter((element) => element !== undefined)
    return isJsonObject(value) ? sweptMembers(value, depth) : value
  }

  function sweptMembers(object: JsonObject, depth: number): JsonObject {
    const members: [string, JsonValue][] = []
    for (const [name, member] of Object.entries(object)) {
      const left = nameHolds(name) ? undefined : swept(member, depth + 1)
      if (left !== undefined) members.push([name, left])
    }
    return Object.fromEntries(members)
  }

  function sweptText(text: string): JsonValue | undefined {
    if (text === redactedMark) return text
    const nested = nestedJsonOf(text)
    if (nested !== undefined) return JSON.stringify(swept(nested, 0) ?? null)
    return holds(text) ? mark(text) : text
  }

  /** Rows have the same names, and all values are known by the time of the sweep. */
  function nameHolds(name: string): boolean {
    if (cleanNames.has(name)) return false
    if (holds(name)) return true
    cleanNames.add(name)
    return false
  }

  function holds(text: string): boolean {
    if (text.length < leastLength || !values.isIn(folded(text))) return false
    byValue += 1
    return true
  }

  return {
    strike: (value) => struck(value, 0, 0),
    sweep: (value) => swept(value, 0) ?? null,
    counted: () => ({ named, byValue }),
  }
}

function refuseName(isName: boolean): void {
  if (isName) throw new Unfulfillable('the name of a field to redact stands in it as a value')
}
