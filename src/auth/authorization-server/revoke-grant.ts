import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import type { AuthorizationStore } from './authorization-store.ts'

/** What ending a grant needs. */
export interface RevokeGrantParts {
  readonly registry: Pick<IdentityRegistry, 'findCredential' | 'findPrincipal' | 'revokeCredential'>
  readonly store: Pick<AuthorizationStore, 'removeByGrant'>
  readonly events: Pick<IdentityEvents, 'record'>
}

/**
 * Ends what a person consented to: its credential first, so that no access token of it opens anything from here on,
 * then codes and refresh tokens. Recorded after, because what protects must not wait for the log.
 * @throws McpworksError `storage_unavailable`, `audit_unavailable`
 */
export async function revokeGrant(grantId: string, why: string, parts: RevokeGrantParts): Promise<void> {
  const { registry, store, events } = parts
  const credential = registry.findCredential(grantId)
  const isNew = credential?.kind === 'grant' && credential.revokedAtMs === null
  const namespace = credential === null ? null : (registry.findPrincipal(credential.principalId)?.namespace ?? null)
  if (isNew) {
    await registry.revokeCredential(namespace, grantId)
  }
  await store.removeByGrant(grantId)
  if (!isNew) return
  const { clientId, userId } = credential.details
  await events.record({
    type: 'token-revoked',
    namespace,
    principalId: credential.principalId,
    credentialId: grantId,
    address: '',
    facts: { why, client: clientId ?? null, person: userId ?? null },
  })
}
