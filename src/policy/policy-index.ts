import { halfMatches, policyScope, type PolicyScope, type ScopedEntity, type ScopeHalf } from './policy-scope.ts'
import type { ParsedPolicy } from './policy-set.ts'

interface Indexed {
  readonly order: number
  readonly scope: PolicyScope
  readonly policy: ParsedPolicy
}

/**
 * Finds the policies whose scope matches a request without looking at the others: each policy stands in one bucket,
 * under the most telling part of its principal and resource scope. What is left out could not have applied, so
 * deciding over the slice gives the decision over the whole set.
 */
export class PolicyIndex {
  readonly #buckets = new Map<string, Map<string, Indexed[]>>()

  constructor(policies: readonly ParsedPolicy[]) {
    policies.forEach((policy, order) => {
      const scope = policyScope(policy.json)
      const principalKey = bucketOf(scope.principal)
      const byResource = this.#buckets.get(principalKey) ?? new Map<string, Indexed[]>()
      this.#buckets.set(principalKey, byResource)
      const resourceKey = bucketOf(scope.resource)
      const bucket = byResource.get(resourceKey)
      if (bucket === undefined) byResource.set(resourceKey, [{ order, scope, policy }])
      else bucket.push({ order, scope, policy })
    })
  }

  /** The policies that Cedar would look into for this request, in the order of the set. */
  slice(principal: ScopedEntity, action: string, resource: ScopedEntity): ParsedPolicy[] {
    const found: Indexed[] = []
    const resourceKeys = bucketsOf(resource)
    for (const principalKey of bucketsOf(principal)) {
      const byResource = this.#buckets.get(principalKey)
      if (byResource === undefined) continue
      for (const resourceKey of resourceKeys) {
        for (const indexed of byResource.get(resourceKey) ?? []) {
          const { scope } = indexed
          if (scope.actions !== null && !scope.actions.has(action)) continue
          if (halfMatches(scope.principal, principal) && halfMatches(scope.resource, resource)) found.push(indexed)
        }
      }
    }
    return found.sort((left, right) => left.order - right.order).map(({ policy }) => policy)
  }
}

const bucketOf = (scope: ScopeHalf): string => scope.entity?.key ?? (scope.type === null ? '' : `is ${scope.type}`)

const bucketsOf = (entity: ScopedEntity): ReadonlySet<string> =>
  new Set(['', `is ${entity.type}`, entity.key, ...entity.ancestors])
