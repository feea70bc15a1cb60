import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { randomId } from './random-id.ts'

/** An API key as its holder sees it: `mcpw_<id>_<secret>`. The id is public, the secret is 256 random bits. */
export interface ApiKey {
  readonly id: string
  /** 43 characters of base64url (RFC 4648 section 5). */
  readonly secret: string
}

const keyPattern = /^mcpw_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/

/** Makes a new key from the operating system's randomness. */
export function generateApiKey(): ApiKey {
  return { id: randomId(), secret: randomBytes(32).toString('base64url') }
}

/** The text that the holder keeps. Contains the secret: show it once, never log it. */
export function formatApiKey(key: ApiKey): string {
  return `mcpw_${key.id}_${key.secret}`
}

/** Takes a key apart; `null` if the text has not the form of one. Says nothing about validity. */
export function parseApiKey(text: string): ApiKey | null {
  const match = keyPattern.exec(text)
  return match?.[1] !== undefined && match[2] !== undefined ? { id: match[1], secret: match[2] } : null
}

/**
 * SHA-256 of the secret, 64 hex digits. A fast hash suffices because the secret has 256 random bits;
 * it would not for a password.
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** Compares a presented secret with a stored hash in time that does not depend on where they differ. */
export function secretMatches(secret: string, storedHex: string): boolean {
  const presented = hash('sha256', secret, 'buffer')
  const stored = Buffer.from(storedHex, 'hex')
  return stored.length === presented.length && timingSafeEqual(presented, stored)
}
