import type { StoredCredential } from '../credential-store.ts'
import type { IdentityRegistry } from '../identity-registry.ts'

/** How often a person can have let one client act as one agent at a time: one for each place that it is used in. */
export const mostEqualGrants = 20

/**
 * Ids of the oldest of a person's grants that say the same as the one given last, beyond `mostEqualGrants`. A consent
 * that need not be asked again makes a grant by the mere visit of a page, and nothing else would bound them.
 */
export function surplusGrants(
  newest: StoredCredential,
  registry: Pick<IdentityRegistry, 'listActiveCredentials'>,
): string[] {
  const { details, principalId } = newest
  return registry
    .listActiveCredentials('grant')
    .map(({ credential }) => credential)
    .filter((other) => other.principalId === principalId && saySame(other.details, details))
    .sort((left, right) => right.createdAtMs - left.createdAtMs || (left.id === newest.id ? -1 : 1))
    .slice(mostEqualGrants)
    .map(({ id }) => id)
}

function saySame(left: StoredCredential['details'], right: StoredCredential['details']): boolean {
  return ['clientId', 'clientSource', 'userId', 'redirectUri', 'resource'].every((name) => left[name] === right[name])
}
