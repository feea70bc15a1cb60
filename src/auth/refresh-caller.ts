import type { Caller } from '../kernel/index.ts'
import type { IdentityRegistry } from './identity-registry.ts'
import type { Sessions } from './people/sessions.ts'

/**
 * A caller that was authenticated a while ago, as it is now: with the groups of this moment, or `null` if its
 * credential or its principal was revoked, disabled or has expired. Does not look at a secret or signature again.
 */
export function refreshCaller(
  registry: IdentityRegistry,
  sessions: Pick<Sessions, 'findById'>,
  caller: Caller,
  nowMs: number,
  isRevoked: (tokenId: string) => boolean,
): Caller | null {
  const { authentication } = caller
  if (authentication.method === 'session') return ofSession(registry, sessions, caller)
  if (authentication.method === 'approval-link') return ofLink(registry, caller, nowMs)
  const tokenId = authentication.token?.tokenId ?? null
  if (tokenId !== null && isRevoked(tokenId)) return null
  if (authentication.expiresAtMs !== null && authentication.expiresAtMs <= nowMs) return null
  const active =
    authentication.method === 'api-key'
      ? keyAsCredential(registry, caller)
      : registry.findActiveCredential(authentication.credentialId)
  if (active === null || active.principal.id !== caller.principal.id) return null
  // Who acts for another must still be one who may.
  if (authentication.token?.actorCredentials?.some((id) => findCredential(registry, id) === null) === true) return null
  if (active.principal.senderConstrainedOnly && !authentication.senderConstrained) return null
  const scopes = authentication.scopes.filter((scope) => active.scopes.includes(scope))
  return { ...caller, principal: registry.describe(active.principal), authentication: { ...authentication, scopes } }
}

function findCredential(registry: IdentityRegistry, id: string) {
  return registry.findActiveCredential(id) ?? registry.findActive(id)
}

function ofSession(registry: IdentityRegistry, sessions: Pick<Sessions, 'findById'>, caller: Caller): Caller | null {
  const session = sessions.findById(caller.authentication.credentialId)
  if (session === null || session.userId !== caller.principal.id) return null
  const principal = registry.findActivePrincipal(session.userId)
  return principal === null ? null : { ...caller, principal: registry.describe(principal) }
}

/** A link is as good as the person that it is for and the one who made it. */
function ofLink(registry: IdentityRegistry, caller: Caller, nowMs: number): Caller | null {
  const { link, expiresAtMs } = caller.authentication
  if (link === undefined || expiresAtMs === null || expiresAtMs <= nowMs) return null
  const principal = registry.findActivePrincipal(caller.principal.id)
  if (principal === null || registry.findActivePrincipal(link.madeBy) === null) return null
  return { ...caller, principal: registry.describe(principal) }
}

function keyAsCredential(registry: IdentityRegistry, { authentication }: Caller) {
  const active = registry.findActive(authentication.credentialId)
  return active === null ? null : { principal: active.principal, scopes: active.key.scopes }
}
