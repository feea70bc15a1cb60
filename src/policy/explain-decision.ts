import type { PolicyDecision, PolicyRequest } from './decision.ts'
import type { NamespacePolicies } from './namespace-policies.ts'
import { conditionsOf, nearMisses } from './near-misses.ts'
import type { Explanation } from './policy-engine.ts'
import { halfMatches, policyScope, type ScopedEntity, type ScopeHalf } from './policy-scope.ts'
import type { ParsedPolicy } from './policy-set.ts'
import { principalEntity, resourceEntity } from './request-entities.ts'

/** How many permits for others are shown. */
const maxElsewhere = 5

/**
 * Explains a decision that was made: what the rules behind it ask for, and for a default deny the permits that came
 * closest. Off the hot path.
 */
export function explainDecision(
  request: PolicyRequest,
  decision: PolicyDecision,
  inForce: NamespacePolicies,
): Explanation {
  const determining = new Set(decision.determining.map(({ id }) => id))
  const because = inForce.set.policies
    .filter(({ id }) => determining.has(id))
    .map(({ id, json }) => ({ policyId: id, conditions: conditionsOf(json) }))
  const denied = decision.effect === 'deny'
  return {
    decision,
    because,
    nearMisses: denied ? nearMisses(request, inForce) : [],
    elsewhere: denied && decision.basis === 'default-deny' ? elsewhere(request, inForce.set.policies) : [],
  }
}

/** Permits of the action that fit the caller and not the tool, or the tool and not the caller; those first. */
function elsewhere(request: PolicyRequest, policies: readonly ParsedPolicy[]): Explanation['elsewhere'] {
  const principal = principalEntity(request.principal, request.resource.namespace)
  const resource = resourceEntity(request.resource)
  if (typeof principal === 'string' || typeof resource === 'string') return []
  const forOthers: Explanation['elsewhere'][number][] = []
  const forOtherThings: Explanation['elsewhere'][number][] = []
  for (const { id, json } of policies) {
    const scope = policyScope(json)
    if (json.effect !== 'permit' || (scope.actions !== null && !scope.actions.has(request.action))) continue
    const fitsCaller = halfMatches(scope.principal, principal.scoped)
    const fitsThing = halfMatches(scope.resource, resource.scoped)
    if (fitsThing && !fitsCaller && isOfType(scope.principal, principal.scoped))
      forOthers.push({
        policyId: id,
        words: `it is for ${halfWords(scope.principal)}, and ${request.principal.id} is not`,
      })
    // A permit for everybody says nothing of how close somebody came to another tool.
    if (fitsCaller && !fitsThing && scope.principal.entity !== null && isOfType(scope.resource, resource.scoped))
      forOtherThings.push({
        policyId: id,
        words: `it is about ${halfWords(scope.resource)}, and ${request.resource.id} is not`,
      })
  }
  return [...forOthers, ...forOtherThings].slice(0, maxElsewhere)
}

const ofPeople = new Set(['User', 'Role', 'UserGroup'])

/** Whether a scope half could fit anything of the type of the entity: an agent's call is not close to a user's permit. */
function isOfType({ type, entity }: ScopeHalf, { type: own }: ScopedEntity): boolean {
  if (type !== null && type !== own) return false
  return entity === null || ofPeople.has(entity.type) === (own === 'User')
}

const kinds: Readonly<Record<string, string>> = {
  Agent: 'the agent',
  AgentGroup: 'the group',
  Namespace: 'the namespace',
  Prompt: 'the prompt',
  Resource: 'the resource',
  Role: 'the role',
  Service: 'the service',
  Tool: 'the tool',
  User: 'the user',
  UserGroup: 'the group',
}

function halfWords({ type, entity }: ScopeHalf): string {
  if (entity === null) return `every ${type ?? 'one'}`
  return `${kinds[entity.type] ?? entity.type} ${entity.id}`
}
