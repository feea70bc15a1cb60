import { jsonDepth } from '../protocol/json-depth.ts'

const maxDepth = 128
/** An escape of a surrogate, its backslash not itself escaped. */
const escapedSurrogate = /(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/
/** Without one of these no number is beyond what a double holds: an exponent of three digits, or 300 digits in a row. */
const hugeNumber = /[eE]\+?0*\d{3}|\d{300}/

/**
 * What hosted code sent as its result, or as the arguments of a call, as JSON text; `null` where it is not JSON
 * (RFC 8259), not UTF-8, or nested more than 128 deep, or has text with half of a surrogate pair, or a number such as
 * 1e999 that a reader takes for infinity. The runner has checked the same, but after the code has started the runner's
 * word counts for nothing. A key that is there twice is not looked for: whoever parses the text takes the last one.
 */
export function resultJson(bytes: Uint8Array): string | null {
  if (jsonDepth(bytes) > maxDepth) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    if (hugeNumber.test(text) && hasInfinity(text)) return null
    // An escaped half of a surrogate pair is valid JSON and no valid text: RFC 8785 and UTF-8 have no form for it.
    return escapedSurrogate.test(text) && escapedSurrogate.test(JSON.stringify(value)) ? null : text
  } catch {
    return null
  }
}

function hasInfinity(text: string): boolean {
  let found = false
  JSON.parse(text, (_, value: unknown) => {
    if (value === Infinity || value === -Infinity) found = true
    return value
  })
  return found
}
