import { isUtf8 } from 'node:buffer'
import { isJson } from '../protocol/is-json.ts'

const maxDepth = 128

/**
 * What hosted code sent as its result, or as the arguments of a call, as JSON text; `null` where it is not JSON
 * (RFC 8259), not UTF-8, or nested more than 128 deep, or has text with half of a surrogate pair, or a number such as
 * 1e999 that a reader takes for infinity. The runner has checked the same, but after the code has started the runner's
 * word counts for nothing. A key that is there twice is not looked for: whoever parses the text takes the last one.
 * It is not parsed here, where all other executions wait meanwhile.
 */
export function resultJson(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes) || !isJson(bytes, maxDepth)) return null
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
