import { parseApiKey, secretMatches } from './api-key.ts'
import type { CredentialVerifier } from './credential-verifier.ts'
import type { IdentityRegistry } from './identity-registry.ts'

const refused = { ok: false, code: 'credential_invalid' } as const

/**
 * Verifies `Authorization: Bearer mcpw_<id>_<secret>`. Revocation and expiry are checked each time.
 * Does not limit the rate of attempts: a 256-bit secret cannot be guessed.
 */
export function createApiKeyVerifier(registry: IdentityRegistry): CredentialVerifier {
  return {
    accepts: ({ scheme, credential }) => scheme === 'bearer' && credential.startsWith('mcpw_'),
    async verify({ credential }, presented) {
      const presentedKey = parseApiKey(credential)
      if (presentedKey === null) return { ...refused, reason: 'not of the form of an API key' }
      const active = registry.findActive(presentedKey.id)
      if (active === null) return { ...refused, reason: 'unknown, expired or revoked key' }
      if (!secretMatches(presentedKey.secret, active.key.secretSha256)) return { ...refused, reason: 'wrong secret' }
      const { principal, key } = active
      if (principal.senderConstrainedOnly)
        return { ...refused, reason: 'an API key of an agent that must prove a key of its own' }
      return {
        ok: true,
        caller: {
          principal: registry.describe(principal),
          authentication: {
            method: 'api-key',
            credentialId: key.id,
            senderConstrained: false,
            expiresAtMs: key.expiresAtMs,
            scopes: key.scopes,
          },
          client: { address: presented.address, claimedName: presented.claimedName },
        },
      }
    },
  }
}
