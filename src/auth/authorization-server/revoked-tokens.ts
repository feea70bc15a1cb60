import { hash } from 'node:crypto'
import type { Clock } from '../../kernel/index.ts'
import type { AuthorizationStore } from './authorization-store.ts'

/** Access tokens that were revoked before they expired. */
export interface RevokedTokens {
  has(tokenId: string): boolean
  /** Counts from the next request on. @throws McpworksError `storage_unavailable` */
  add(tokenId: string, expiresAtMs: number): Promise<void>
}

/** Loads them. There are few: nothing stays longer than an access token lives. */
export async function createRevokedTokens(store: AuthorizationStore, clock: Clock): Promise<RevokedTokens> {
  const tokens = new Map(
    (await store.listRevokedTokens()).map(({ tokenIdHash, expiresAtMs }) => [tokenIdHash, expiresAtMs]),
  )
  return {
    has: (tokenId) => tokens.size > 0 && tokens.has(hash('sha256', tokenId, 'base64url')),
    async add(tokenId, expiresAtMs) {
      const tokenIdHash = hash('sha256', tokenId, 'base64url')
      await store.revokeToken(tokenIdHash, expiresAtMs)
      for (const [other, until] of tokens) if (until <= clock.nowMs()) tokens.delete(other)
      tokens.set(tokenIdHash, expiresAtMs)
    },
  }
}
