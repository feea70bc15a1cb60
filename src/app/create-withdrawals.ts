import type { IdentityRegistry, NamespaceClosures } from '../auth/index.ts'
import type { Withdrawals } from '../gateway/index.ts'

/** What the registry and the closures know of callers that are in already. Where somebody acts for another, both count. */
export function createWithdrawals(
  registry: IdentityRegistry,
  closures: Pick<NamespaceClosures, 'isClosed'>,
): Withdrawals {
  const isActorWithdrawn = (credentialId: string): boolean =>
    registry.isWithdrawn(registry.holderOf(credentialId)?.id ?? '', credentialId)
  return {
    isWithdrawn: ({ principal, authentication }) =>
      registry.isWithdrawn(principal.id, authentication.credentialId) ||
      authentication.token?.actorCredentials?.some(isActorWithdrawn) === true,
    isClosed: closures.isClosed,
    onChange: registry.onWithdrawal,
  }
}
