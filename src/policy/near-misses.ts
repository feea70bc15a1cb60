import { attributeReads, type AttributeReads } from './attribute-reads.ts'
import { isAuthorized, policyToText, type Clause, type Expr, type PolicyJson } from './cedar.ts'
import { conditionWords } from './condition-words.ts'
import { engineInput, type EngineInput } from './decide-request.ts'
import type { PolicyRequest } from './decision.ts'
import type { NamespacePolicies } from './namespace-policies.ts'
import type { ConditionText, Explanation, NearMiss } from './policy-engine.ts'
import type { PreparedRequest } from './prepared-request.ts'

interface Part {
  readonly kind: Clause['kind']
  readonly body: Expr
}

/**
 * For a denied request, the permits in scope and the parts of each that did not hold, closest first (fewest parts
 * that failed, then the order of the files). A `when` is split at its outermost `&&`s. Empty where the request itself
 * cannot be judged. Says what policies say, never what the request held. Slow: parses what it evaluates.
 */
export function nearMisses(request: PolicyRequest, inForce: NamespacePolicies): Explanation['nearMisses'] {
  const prepared = inForce.prepare(request.principal, request.action, request.resource)
  if (typeof prepared === 'string') return []
  const input = engineInput(request, prepared)
  if (typeof input === 'string') return []
  const misses: NearMiss[] = []
  for (const policy of prepared.policies) {
    if (policy.json.effect !== 'permit') continue
    const parts = policy.json.conditions.flatMap(split)
    const { holds, fails } = evaluateParts(parts, request, prepared, input)
    const failed = parts.flatMap((part, index) =>
      holds.has(index) ? [] : [{ ...inWords(part), evaluated: fails.has(index) }],
    )
    const [first] = failed
    if (first !== undefined)
      misses.push({ policyId: policy.id, failedCondition: first.condition, failed, conditions: parts.length })
  }
  return misses.sort((left, right) => left.failed.length - right.failed.length)
}

/** What the conditions of a policy say, each with its words; empty where it has none. */
export function conditionsOf(policy: PolicyJson): ConditionText[] {
  return policy.conditions.flatMap(split).map(inWords)
}

/** A part as Cedar and in words, with the attributes of the context that it looks at. */
function inWords(part: Part): ConditionText {
  const reads = attributeReads({ ...permitWhen(part) })
  const said = conditionWords(part.kind === 'when' ? part.body : { '!': { arg: part.body } })
  return { condition: asText(part), words: said, looksAt: pathsOf(reads, '') }
}

function pathsOf({ members, whole }: AttributeReads, prefix: string): string[] {
  if (members.size === 0 || whole) return prefix === '' ? [] : [prefix]
  return [...members].flatMap(([name, member]) => pathsOf(member, prefix === '' ? name : `${prefix}.${name}`)).sort()
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

/**
 * Indexes of the parts that hold and of those that are false; in neither are those that cannot be evaluated. Each is
 * made a permit of its own, and one with its opposite, and all are asked of Cedar in one go.
 */
function evaluateParts(
  parts: readonly Part[],
  request: PolicyRequest,
  prepared: PreparedRequest,
  input: EngineInput,
): { holds: ReadonlySet<number>; fails: ReadonlySet<number> } {
  const staticPolicies: Record<string, PolicyJson> = {}
  for (const [index, part] of parts.entries()) {
    staticPolicies[`+${index}`] = permitWhen(part)
    staticPolicies[`-${index}`] = permitWhen({ ...part, kind: part.kind === 'when' ? 'unless' : 'when' })
  }
  const answer = isAuthorized({
    principal: prepared.principal.uid,
    action: { type: 'Action', id: request.action },
    resource: prepared.resource.uid,
    context: { ...input.context },
    policies: { staticPolicies },
    entities: prepared.judging().entities,
    validateRequest: false,
  })
  const reasons = answer.type === 'success' ? answer.response.diagnostics.reason : []
  const those = (sign: string): Set<number> =>
    new Set(reasons.filter((id) => id.startsWith(sign)).map((id) => Number(id.slice(1))))
  return { holds: those('+'), fails: those('-') }
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
