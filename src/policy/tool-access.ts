import { builtInFile } from './built-in-policies.ts'
import type { PolicyRequest } from './decision.ts'
import type { NamespacePolicies } from './namespace-policies.ts'
import type { ToolAccess } from './policy-engine.ts'
import { outcome, staticOutcome } from './static-outcome.ts'

/**
 * For each tool, in order of name: whether the principal may always, sometimes or never call it, and the policies behind
 * that. `always` is said only if no policy in scope can forbid or fail; what cannot be told is `conditional`.
 */
export function toolAccess(principal: PolicyRequest['principal'], inForce: NamespacePolicies): ToolAccess[] {
  const { namespace, tools } = inForce.vocabulary
  const prefix = `${namespace}/`
  return [...tools.values()]
    .map((tool) => accessTo(tool.id.slice(prefix.length), tool.service.slice(prefix.length), principal, inForce))
    .sort((left, right) => (left.tool < right.tool ? -1 : 1))
}

function accessTo(
  tool: string,
  service: string,
  principal: PolicyRequest['principal'],
  inForce: NamespacePolicies,
): ToolAccess {
  const { namespace } = inForce.vocabulary
  const resource = { type: 'Tool', id: `${namespace}/${tool}`, namespace, service } as const
  const prepared = inForce.glance(principal, 'call', resource)
  if (typeof prepared === 'string') return { tool, service, access: 'never', policyIds: [] }
  if (prepared.misfits.length > 0) return { tool, service, access: 'never', policyIds: prepared.misfits }
  const permits: string[] = []
  const forbids: string[] = []
  let certain = false
  const blockers: string[] = []
  let safe = true
  for (const policy of prepared.policies) {
    const mask = staticOutcome(policy.json, prepared.known)
    const canApply = (mask & outcome.true) !== 0
    if ((mask & outcome.error) !== 0) safe = false
    if (policy.json.effect === 'permit') {
      if (canApply) permits.push(policy.id)
      certain ||= mask === outcome.true
    } else {
      // What the platform's own boundary cannot forbid here is no news.
      if (canApply || (policy.file !== builtInFile && (mask & outcome.error) !== 0)) forbids.push(policy.id)
      if (canApply) safe = false
      if ((mask & outcome.false) === 0) blockers.push(policy.id)
    }
  }
  if (blockers.length > 0) return { tool, service, access: 'never', policyIds: blockers }
  if (permits.length === 0) return { tool, service, access: 'never', policyIds: [] }
  return { tool, service, access: certain && safe ? 'always' : 'conditional', policyIds: [...permits, ...forbids] }
}
