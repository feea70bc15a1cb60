import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { JsonObject } from '../../kernel/index.ts'

/** The public parts of a JWK (RFC 7518 section 6, RFC 8037 section 2) that its thumbprint is over, in that order. */
const parts = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
} as const

/** Members that only a private or a symmetric key has. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/** The members that make the key, checked for form: text of base64url, no private half; `null` where that fails. */
export function readPublicJwk(jwk: JsonObject): Readonly<Record<string, string>> | null {
  const { kty } = jwk
  if (kty !== 'EC' && kty !== 'OKP' && kty !== 'RSA') return null
  if (secretMembers.some((member) => Object.hasOwn(jwk, member))) return null
  const read: Record<string, string> = {}
  for (const member of parts[kty]) {
    const value = jwk[member]
    if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{1,1400}$/.test(value)) return null
    read[member] = value
  }
  return read
}

/** JWK thumbprint (RFC 7638) with SHA-256, in base64url. Takes what `readPublicJwk` gives. */
export function thumbprintOf(jwk: Readonly<Record<string, string>>): string {
  // Members are in the order that section 3.2 asks for, and their characters need no escapes.
  return hash('sha256', JSON.stringify(jwk), 'base64url')
}

/** The key itself; `null` where the numbers make none (a point beside its curve). */
export function importPublicJwk(jwk: Readonly<Record<string, string>>): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return null
  }
}
