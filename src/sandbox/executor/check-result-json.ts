const maxDepth = 128
/** An escape of a surrogate, its backslash not itself escaped. */
const escapedSurrogate = /(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/

/**
 * What hosted code sent as its result, as JSON text; `null` where it is not JSON (RFC 8259), not UTF-8, or nested more
 * than 128 deep, or has text with half of a surrogate pair. The runner has checked the same, but after the code has started the runner's word counts for nothing.
 */
export function resultJson(bytes: Uint8Array): string | null {
  if (depthOf(bytes) > maxDepth) return null
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const value: unknown = JSON.parse(text)
    // An escaped half of a surrogate pair is valid JSON and no valid text: RFC 8785 and UTF-8 have no form for it.
    return escapedSurrogate.test(text) && escapedSurrogate.test(JSON.stringify(value)) ? null : text
  } catch {
    return null
  }
}

/** Greatest nesting of brackets outside of strings. Works on bytes: in UTF-8 no other character contains these. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let greatest = 0
  let inString = false
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]
    if (inString) {
      if (byte === 0x5c) index += 1
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x5b || byte === 0x7b) greatest = Math.max(greatest, (depth += 1))
    else if (byte === 0x5d || byte === 0x7d) depth -= 1
  }
  return greatest
}
