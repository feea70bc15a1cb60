import type { PolicyRequest } from '../decision.ts'
import type { NamespacePolicies } from '../namespace-policies.ts'
import type { ParsedPolicy } from '../policy-set.ts'
import type { KnownRequest } from '../static-outcome.ts'
import type { KnownTool } from '../tool-vocabulary.ts'
import { circumstancesOfCalls } from './circumstances.ts'
import { policyFormula, type Formula } from './formula.ts'

/** Everything about calls of one tool by one agent that does not depend on what is in the call. */
export interface CallScope {
  readonly known: KnownRequest
  readonly resource: PolicyRequest['resource']
  /** In scope, in order. */
  readonly policies: readonly ParsedPolicy[]
  /** Those of them that do not fit the tool; with one of these every call is denied. */
  readonly misfits: readonly string[]
}

/** `null` where no such call can be judged. */
export function scopeOfCall(
  principal: PolicyRequest['principal'],
  tool: KnownTool,
  inForce: NamespacePolicies,
): CallScope | null {
  const { namespace } = inForce.vocabulary
  const service = tool.service.slice(namespace.length + 1)
  const resource = { type: 'Tool', id: tool.id, namespace, service } as const
  const prepared = inForce.prepare(principal, 'call', resource)
  if (typeof prepared === 'string') return null
  const known = {
    principal: prepared.principal.scoped,
    namespace: principal.namespace,
    action: 'call',
    resource: prepared.resource.scoped,
  }
  return { known, resource, policies: prepared.policies, misfits: prepared.misfits }
}

/** What holds of every call of an agent. */
export const everyCall: Formula = circumstancesOfCalls()

/** When a policy in scope applies. */
export function appliesWhen(policy: ParsedPolicy, { known }: CallScope): Formula {
  return policyFormula(policy.json, known)
}

/** Characters of the texts of policies: what it costs to read their conditions. */
export function textLength(policies: readonly ParsedPolicy[]): number {
  return policies.reduce((length, { text }) => length + text.length, 0)
}
