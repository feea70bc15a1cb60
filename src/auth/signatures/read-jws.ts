import { isJsonObject, type JsonObject } from '../../kernel/index.ts'

/** A compact JWS (RFC 7515 section 7.1) whose payload is a JSON object, taken apart. Nothing of it is verified. */
export interface Jws {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** What the signature is over. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** Headers are at most 16 KiB; a token is most of one. */
const maxLength = 16 * 1024
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** Whether a text has the form of a compact JWS. */
function isCompactJws(text: string): boolean {
  return text.length <= maxLength && compact.test(text)
}

/**
 * Takes a compact JWS apart; `null` where it is none, holds no JSON objects, or its header has `crit` or `b64`
 * (RFC 7515 section 4.1.11, RFC 7797): nothing that those could name is understood here.
 */
export function readJws(text: string): Jws | null {
  if (!isCompactJws(text)) return null
  const first = text.indexOf('.')
  const second = text.indexOf('.', first + 1)
  const header = readPart(text.slice(0, first))
  const claims = readPart(text.slice(first + 1, second))
  if (header === null || claims === null) return null
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return null
  return {
    header,
    claims,
    signed: Buffer.from(text.slice(0, second), 'latin1'),
    signature: Buffer.from(text.slice(second + 1), 'base64url'),
  }
}

function readPart(part: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}
