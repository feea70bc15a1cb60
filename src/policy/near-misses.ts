import { isAuthorized, policyToText, type Clause, type Expr, type PolicyJson } from './cedar.ts'
import { engineInput, type EngineInput } from './decide-request.ts'
import type { PolicyRequest } from './decision.ts'
import type { NamespacePolicies } from './namespace-policies.ts'
import type { Explanation } from './policy-engine.ts'
import type { PreparedRequest } from './prepared-request.ts'

interface Part {
  readonly kind: Clause['kind']
  readonly body: Expr
}

/**
 * For a denied request, the permits in scope and the first part of each that did not hold, closest first (fewest parts
 * that failed, then the order of the files). A `when` is split at its outermost `&&`s. A part that cannot be evaluated
 * counts as failed. Empty where the request itself cannot be judged. Slow: parses what it evaluates.
 */
export function nearMisses(request: PolicyRequest, inForce: NamespacePolicies): Explanation['nearMisses'] {
  const prepared = inForce.prepare(request.principal, request.action, request.resource)
  if (typeof prepared === 'string') return []
  const input = engineInput(request, prepared)
  if (typeof input === 'string') return []
  const misses: { readonly policyId: string; readonly failedCondition: string; readonly failed: number }[] = []
  for (const policy of prepared.policies) {
    if (policy.json.effect !== 'permit') continue
    const parts = policy.json.conditions.flatMap(split)
    const holds = evaluateParts(parts, request, prepared, input)
    const first = parts.find((_, index) => !holds.has(index))
    if (first !== undefined)
      misses.push({ policyId: policy.id, failedCondition: asText(first), failed: parts.length - holds.size })
  }
  misses.sort((left, right) => left.failed - right.failed)
  return misses.map(({ policyId, failedCondition }) => ({ policyId, failedCondition }))
}

function split(clause: Clause): Part[] {
  if (clause.kind === 'unless') return [clause]
  return conjuncts(clause.body).map((body) => ({ kind: 'when', body }))
}

function conjuncts(body: Expr): Expr[] {
  if (!('&&' in body)) return [body]
  const { left, right } = (body as { '&&': { left: Expr; right: Expr } })['&&']
  return [...conjuncts(left), ...conjuncts(right)]
}

/** Indexes of the parts that hold. Each is made a permit of its own and asked of Cedar in one go. */
function evaluateParts(
  parts: readonly Part[],
  request: PolicyRequest,
  prepared: PreparedRequest,
  input: EngineInput,
): Set<number> {
  const answer = isAuthorized({
    principal: prepared.principal.uid,
    action: { type: 'Action', id: request.action },
    resource: prepared.resource.uid,
    context: { ...input.context },
    policies: { staticPolicies: Object.fromEntries(parts.map((part, index) => [String(index), permitWhen(part)])) },
    entities: prepared.judging().entities,
    validateRequest: false,
  })
  if (answer.type !== 'success') return new Set()
  return new Set(answer.response.diagnostics.reason.map(Number))
}

function permitWhen(part: Part): PolicyJson {
  const all = { op: 'All' } as const
  return {
    effect: 'permit',
    principal: all,
    action: all,
    resource: all,
    conditions: [{ kind: part.kind, body: part.body }],
  }
}

/** The part as Cedar text, as its author could have written it. */
function asText(part: Part): string {
  const answer = policyToText(permitWhen(part))
  const text =
    answer.type === 'success' ? /(?:when|unless)\s*\{\s*([\s\S]*?)\s*\};?\s*$/u.exec(answer.text)?.[1] : undefined
  const shown = (text ?? 'a condition too long to show').replaceAll(/\s+/gu, ' ')
  return part.kind === 'unless' ? `unless ${shown}` : shown
}
