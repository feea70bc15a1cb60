// The one node module that the kernel may use: hashing is a pure function of its input.
import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

/** A digest in the form `sha256:<64 lower-case hex digits>`. */
export type Digest = `sha256:${string}`

/** SHA-256 (FIPS 180-4) of bytes, or of a string's UTF-8 bytes. */
export function sha256(data: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', data, 'hex')}`
}

/**
 * SHA-256 over the RFC 8785 form of a JSON value, so that two spellings of the same value agree.
 * @throws McpworksError `invalid_json` where the value has no RFC 8785 form (lone surrogate, NaN).
 */
export function digestJson(value: unknown): Digest {
  return sha256(canonicalJson(value))
}
