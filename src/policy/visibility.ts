import type { NamespacePolicies } from './namespace-policies.ts'
import type { VisibilityQuestion } from './policy-engine.ts'
import { outcome, staticOutcome, type KnownRequest } from './static-outcome.ts'

/**
 * Whether some arguments in some circumstances might be allowed. False only if every request would be denied: a forbid
 * that always holds (or fails), or no permit that can hold. May answer true for what is denied every time.
 */
export function isVisible(question: VisibilityQuestion, inForce: NamespacePolicies): boolean {
  const { principal, action, resource } = question
  if (principal.namespace !== null && principal.namespace !== resource.namespace) return false
  const prepared = inForce.prepare(principal, action, resource)
  if (typeof prepared === 'string' || prepared.misfits.length > 0) return false
  const request: KnownRequest = {
    principal: prepared.principal.scoped,
    namespace: principal.namespace,
    action,
    resource: prepared.resource.scoped,
  }
  let permitted = false
  for (const { json } of prepared.policies) {
    const mask = staticOutcome(json, request)
    if (mask === outcome.error) return false
    if (json.effect === 'permit') permitted ||= (mask & outcome.true) !== 0
    else if ((mask & outcome.false) === 0) return false
  }
  return permitted
}
