/**
 * Greatest nesting of brackets outside of strings, of bytes that may or may not be JSON. Works on bytes: in UTF-8 no
 * other character contains these. To be asked before a parser is: its time and stack then have a bound.
 */
export function jsonDepth(bytes: Uint8Array): number {
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
