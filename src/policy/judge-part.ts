import { statefulIsAuthorized, type AuthorizationAnswer, type CedarValueJson } from './cedar.ts'
import type { CedarSlots } from './cedar-slots.ts'
import type { DecisionBasis, PolicyDecision } from './decision.ts'
import type { ParsedPolicy } from './policy-set.ts'
import type { PreparedRequest } from './prepared-request.ts'
import { recordLevelOf } from './record-level.ts'

/** What the policies in scope say of a request: the part of a decision that Cedar gives. */
export type Judgement = Pick<
  PolicyDecision,
  'effect' | 'basis' | 'determining' | 'errors' | 'obligations' | 'recordLevel'
>

/**
 * Asks Cedar about the part of a context that the policies in scope could read. The answer is `allow` only if Cedar
 * succeeded, said allow, and reported no error: Cedar skips a forbid that fails and would allow the call.
 * Depends on nothing but its arguments. Throws what Cedar throws.
 */
export function judgePart(
  part: { readonly [name: string]: CedarValueJson },
  prepared: PreparedRequest,
  slots: CedarSlots,
): Judgement {
  const answer = statefulIsAuthorized({
    principal: prepared.principal.uid,
    action: { type: 'Action', id: prepared.action },
    resource: prepared.resource.uid,
    context: { ...part },
    preparsedSchemaName: slots.schemaName(prepared),
    validateRequest: true,
    preparsedPolicySetId: slots.policiesName(prepared),
    entities: prepared.judging().entities,
  })
  return judgementOf(answer, prepared)
}

function judgementOf(answer: AuthorizationAnswer, prepared: PreparedRequest): Judgement {
  if (answer.type !== 'success') {
    const errors = [{ policyId: null, message: 'The request does not fit the schema of the policies.' }]
    const recordLevel = recordLevelOf(prepared.policies)
    return { effect: 'deny', basis: 'error', determining: [], errors, obligations: [], recordLevel }
  }
  const { decision, diagnostics } = answer.response
  const { byId } = prepared.judging()
  const errors: Judgement['errors'][number][] = diagnostics.errors.map(({ policyId, error }) => ({
    policyId,
    message: evaluationFault(error.message),
  }))
  const reasons = diagnostics.reason.map((id) => byId.get(id)).filter((policy) => policy !== undefined)
  if (reasons.length !== diagnostics.reason.length)
    errors.push({ policyId: null, message: 'The engine named a policy that is not in scope.' })
  if (decision === 'allow' && prepared.isForeign)
    errors.push({ policyId: null, message: 'A principal of one namespace reaches nothing in another.' })
  const allow = decision === 'allow' && errors.length === 0
  const forbidden = decision === 'deny' && reasons.length > 0
  const basis: DecisionBasis = allow ? 'permit' : forbidden ? 'forbid' : errors.length > 0 ? 'error' : 'default-deny'
  return {
    effect: allow ? 'allow' : 'deny',
    basis,
    determining: reasons.map(({ shown }) => shown).sort((left, right) => (left.id < right.id ? -1 : 1)),
    errors,
    obligations: obligationsOf(reasons, allow),
    recordLevel: recordLevelOf(reasons.length > 0 && errors.length === 0 ? reasons : prepared.policies),
  }
}

/** What a denial demands is only that little of it is recorded. */
function obligationsOf(policies: readonly ParsedPolicy[], allow: boolean): string[] {
  const texts = policies.flatMap((policy) => {
    if (policy.obligation === null) return []
    if (allow) return [policy.obligation]
    const level = recordLevelOf([policy])
    return level === null ? [] : [`record ${level}`]
  })
  return [...new Set(texts)].sort()
}

/** Cedar's own sentences quote values of arguments, so only the kind of fault is passed on. */
function evaluationFault(message: string): string {
  if (message.includes('overflow')) return 'Evaluating the policy overflowed the range of 64-bit integers.'
  if (message.includes('attribute')) return 'Evaluating the policy met a missing attribute.'
  if (message.includes('extension')) return 'Evaluating the policy failed in an extension function.'
  return 'Evaluating the policy failed.'
}
