import type { Authenticator } from './authenticator.ts'
import { parseApiKey, secretMatches } from './api-key.ts'
import type { IdentityRegistry } from './identity-registry.ts'

const refused = { ok: false, code: 'credential_invalid' } as const

/**
 * Authenticates `Authorization: Bearer mcpw_<id>_<secret>` (RFC 6750 section 2.1; no other place is looked at).
 * Revocation and expiry are checked each time. Does not limit the rate of attempts: a 256-bit secret cannot be guessed.
 */
export function createApiKeyAuthenticator(registry: IdentityRegistry): Authenticator {
  return {
    async authenticate(presented) {
      if (presented.authorization.length === 0)
        return { ok: false, code: 'credential_missing', reason: 'no Authorization header' }
      const [header] = presented.authorization
      if (presented.authorization.length > 1 || header === undefined) {
        return { ...refused, reason: 'more than one Authorization header' }
      }
      const bearer = /^bearer +(\S+) *$/i.exec(header)?.[1]
      if (bearer === undefined) return { ...refused, reason: 'not a Bearer credential' }
      const presentedKey = parseApiKey(bearer)
      if (presentedKey === null) return { ...refused, reason: 'not of the form of an API key' }
      const active = registry.findActive(presentedKey.id)
      if (active === null) return { ...refused, reason: 'unknown, expired or revoked key' }
      if (!secretMatches(presentedKey.secret, active.key.secretSha256)) return { ...refused, reason: 'wrong secret' }
      const { principal, key } = active
      return {
        ok: true,
        caller: {
          principal: {
            type: principal.type,
            id: principal.id,
            name: principal.name,
            namespace: principal.namespace,
            groups: principal.groups,
          },
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
