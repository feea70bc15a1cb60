import { isUtf8 } from 'node:buffer'
import type { JsonValue } from '../kernel/index.ts'

/** A parsed body, or one sentence on what is wrong with it. */
export type JsonResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly message: string }

const quote = 0x22
const backslash = 0x5c

/**
 * Parses JSON (RFC 8259) from outside, stricter than `JSON.parse`: UTF-8 only, no byte order mark, nesting at most
 * `maxDepth`, no object with the same member twice, no member `__proto__`, no lone surrogate. Two readers of the
 * text can therefore not come to different values. Numbers beyond a double lose precision as in `JSON.parse`.
 */
export function parseJson(bytes: Uint8Array, maxDepth: number): JsonResult {
  if (bytes.length === 0) return { ok: false, message: 'the body is empty' }
  if (!isUtf8(bytes)) return { ok: false, message: 'the body is not UTF-8' }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  const shape = scan(text, maxDepth)
  if (shape === null) return { ok: false, message: `arrays and objects are nested deeper than ${maxDepth}` }
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch {
    return { ok: false, message: 'the body is not JSON' }
  }
  const count = { members: 0 }
  const problem = walk(value, shape.escapes, count)
  if (problem !== null) return { ok: false, message: problem }
  // Every member has one colon outside strings, so a difference means that a later member replaced an earlier one.
  if (count.members !== shape.colons) return { ok: false, message: 'an object has the same member twice' }
  return { ok: true, value }
}

/** Counts colons outside strings and looks for `\u` escapes; `null` where nesting is too deep. Text need not be JSON. */
function scan(text: string, maxDepth: number): { colons: number; escapes: boolean } | null {
  let depth = 0
  let colons = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === quote) {
      index = endOfString(text, index + 1)
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1
      if (depth > maxDepth) return null
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1
    } else if (code === 0x3a) {
      colons += 1
    }
  }
  return { colons, escapes: text.includes('\\u') }
}

/** Index of the quote that closes the string, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start)
  while (end !== -1) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash && end - 1 - slashes >= start) slashes += 1
    if (slashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

/** Depth is bounded by the scan before. */
function walk(value: JsonValue, escapes: boolean, count: { members: number }): string | null {
  if (typeof value === 'string')
    return escapes && !value.isWellFormed() ? 'a string holds half of a surrogate pair' : null
  if (typeof value !== 'object' || value === null) return null
  if (Array.isArray(value)) {
    for (const element of value) {
      const problem = walk(element, escapes, count)
      if (problem !== null) return problem
    }
    return null
  }
  for (const key in value) {
    count.members += 1
    if (key === '__proto__') return 'a member is named __proto__'
    if (escapes && !key.isWellFormed()) return 'a member name holds half of a surrogate pair'
    const problem = walk(value[key] as JsonValue, escapes, count)
    if (problem !== null) return problem
  }
  return null
}
