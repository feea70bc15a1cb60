import type { PolicyJson } from './cedar.ts'
import { policyScope } from './policy-scope.ts'

/** The remedy that makes of a denial a request to a person. */
export const approvalRemedy = 'approval'

/** What is wrong with a forbid that asks for approval, and what to write; `null` where nothing is. */
export function approvalFault(policy: PolicyJson): { readonly message: string; readonly hint: string } | null {
  if (policy.effect !== 'forbid' || policy.annotations?.remedy !== approvalRemedy) return null
  const { actions } = policyScope(policy)
  if (actions !== null && !actions.has('call'))
    return { message: 'only calls of tools can wait for approval', hint: 'write action == Action::"call" in the scope' }
  // The policy itself lets an approved call through, so that stock Cedar comes to the same decision from the record.
  if (!policy.conditions.some((clause) => readsApproved(clause.body)))
    return {
      message: '@remedy("approval") on a forbid that holds for approved calls too',
      hint: 'end it with: unless { context.approved };',
    }
  return null
}

/** Whether `context.approved` is looked at anywhere. An argument of that name is something else. */
function readsApproved(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false
  if (Array.isArray(node)) return node.some(readsApproved)
  return Object.entries(node as Record<string, unknown>).some(([key, value]) => {
    if (key === 'Value') return false
    return (key === '.' && isApproved(value)) || readsApproved(value)
  })
}

function isApproved(access: unknown): boolean {
  if (typeof access !== 'object' || access === null || !('left' in access) || !('attr' in access)) return false
  const { left, attr } = access
  return attr === 'approved' && typeof left === 'object' && left !== null && 'Var' in left && left.Var === 'context'
}
