import { randomBytes } from 'node:crypto'
import { hashSecret, secretMatches } from '../api-key.ts'

/** A secret of an OAuth client: 256 random bits behind a prefix that secret scanners can look for. */
export function generateClientSecret(): { readonly secret: string; readonly sha256: string } {
  const secret = `mcpc_${randomBytes(32).toString('base64url')}`
  return { secret, sha256: hashSecret(secret) }
}

/** Compares a presented secret with the stored SHA-256, in time that does not depend on where they differ. */
export function clientSecretMatches(presented: string, storedSha256: string | undefined): boolean {
  return storedSha256 !== undefined && secretMatches(presented, storedSha256)
}
