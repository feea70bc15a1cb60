import type { Caller } from '../kernel/index.ts'
import type { IdentityRegistry } from './identity-registry.ts'

/**
 * A caller that was authenticated a while ago, as it is now: with the groups of this moment, or `null` if its key or
 * its principal was revoked or has expired. Does not look at a secret again.
 */
export function refreshCaller(registry: IdentityRegistry, caller: Caller): Caller | null {
  const active = registry.findActive(caller.authentication.credentialId)
  if (active === null || active.principal.id !== caller.principal.id) return null
  const { type, id, name, namespace, groups } = active.principal
  return {
    ...caller,
    principal: { type, id, name, namespace, groups },
    authentication: { ...caller.authentication, scopes: active.key.scopes, expiresAtMs: active.key.expiresAtMs },
  }
}
