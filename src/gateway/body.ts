import { sha256, type JsonValue } from '../kernel/index.ts'
import type { BodyDraft } from '../audit/index.ts'

/**
 * The JSON text of a value as it is kept beside a record. A text over the limit is replaced by its size and digest,
 * so that one call cannot fill the disk.
 */
export function bodyOf(value: JsonValue, maxBytes: number): BodyDraft {
  return boundedBody(JSON.stringify(value), maxBytes)
}

/** The same for a text that is JSON already. */
export function boundedBody(json: string, maxBytes: number): BodyDraft {
  const bytes = Buffer.byteLength(json)
  return bytes <= maxBytes
    ? { json }
    : { json: JSON.stringify({ omitted: 'over audit body limit', bytes, sha256: sha256(json) }) }
}
