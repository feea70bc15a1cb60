import { sha256, systemClock, uuidv7, type BodyLevel, type Clock, type Digest } from '../kernel/index.ts'
import type { AccessAnswer, AccessQuestion } from './analysis/access-answer.ts'
import { analyzePolicies } from './analysis/analyze-policies.ts'
import { findWitness } from './analysis/find-witness.ts'
import type { PolicyAnalysis } from './analysis/policy-analysis.ts'
import { builtInPolicies } from './built-in-policies.ts'
import { isAuthorized } from './cedar.ts'
import { CedarSlots } from './cedar-slots.ts'
import { checkPolicies, type ValidatorFindings } from './check-policies.ts'
import { decideRequest, denyByError, type UntimedDecision } from './decide-request.ts'
import type { PolicyDecision, PolicyRequest } from './decision.ts'
import { DecisionCache } from './decision-cache.ts'
import { explainDecision } from './explain-decision.ts'
import { LruMap } from './lru-map.ts'
import { NamespacePolicies } from './namespace-policies.ts'
import { recordLevelOf } from './record-level.ts'
import { parsePolicies, type ParseOutcome } from './parse-policies.ts'
import type {
  Explanation,
  MisfitRule,
  PolicyCheck,
  PolicyEngine,
  PolicyProblem,
  PolicySource,
  PolicyVocabulary,
  ToolAccess,
  VisibilityQuestion,
} from './policy-engine.ts'
import type { PolicyBody } from './policy-set.ts'
import { toolAccess } from './tool-access.ts'
import { ToolVocabulary } from './tool-vocabulary.ts'

/** How much text of parsed policies is remembered, those in force included, in UTF-16 units. */
const bodiesLimit = 16 * 1024 * 1024
/** How many validations of a policy against a type of arguments are remembered. */
const findingsLimit = 50_000
/** How often, while it decides, the engine makes sure that Cedar still works: what is remembered needs no Cedar. */
const lookEveryMs = 1_000

/**
 * The policy engine on Cedar. Holds the policies in force of every namespace in memory; keeps nothing anywhere else.
 * `clock` measures how long a decision took, and when Cedar was last seen to work.
 */
export function createCedarPolicyEngine(clock: Pick<Clock, 'monotonicMs'> = systemClock): PolicyEngine {
  return new CedarPolicyEngine(clock)
}

class CedarPolicyEngine implements PolicyEngine {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #slots = new CedarSlots(uuidv7(0))
  readonly #inForce = new Map<string, NamespacePolicies>()
  readonly #bodies = new LruMap<PolicyBody>(bodiesLimit)
  readonly #findings = new LruMap<ValidatorFindings>(findingsLimit)
  readonly #decisions = new DecisionCache()
  #lastSeenMs = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  check(sources: readonly PolicySource[], vocabulary: PolicyVocabulary): PolicyCheck {
    return this.#examine(sources, vocabulary, 'refuse').check
  }

  install(
    sources: readonly PolicySource[],
    vocabulary: PolicyVocabulary,
    onMisfit: MisfitRule = 'refuse',
  ): PolicyCheck {
    const { check, policies } = this.#examine(sources, vocabulary, onMisfit)
    if (check.ok && policies !== null) this.#inForce.set(vocabulary.namespace, policies)
    return check
  }

  under<Answer>(
    sources: readonly PolicySource[],
    vocabulary: PolicyVocabulary,
    ask: () => Answer,
    onMisfit: MisfitRule = 'refuse',
  ): { readonly check: PolicyCheck & { readonly ok: false } } | { readonly answer: Answer } {
    const { check, policies } = this.#examine(sources, vocabulary, onMisfit)
    if (!check.ok) return { check }
    const { namespace } = vocabulary
    const before = this.#inForce.get(namespace)
    try {
      if (policies !== null) this.#inForce.set(namespace, policies)
      return { answer: ask() }
    } finally {
      if (before === undefined) this.#inForce.delete(namespace)
      else this.#inForce.set(namespace, before)
    }
  }

  remove(namespace: string): void {
    this.#inForce.delete(namespace)
  }

  decide(request: PolicyRequest): PolicyDecision {
    const start = this.#clock.monotonicMs()
    if (start - this.#lastSeenMs >= lookEveryMs) {
      this.#lastSeenMs = start
      this.isWorking()
    }
    const decision = this.#decide(request)
    return { ...decision, durationUs: Math.max(0, Math.round((this.#clock.monotonicMs() - start) * 1000)) }
  }

  isVisible({ principal, action, resource }: VisibilityQuestion): boolean {
    try {
      const prepared = this.#policiesOf(resource.namespace).glance(principal, action, resource)
      return typeof prepared !== 'string' && prepared.isVisible()
    } catch {
      // Denies: what cannot be judged is not shown.
      return false
    }
  }

  recordLevel({ principal, action, resource }: Parameters<PolicyEngine['recordLevel']>[0]): BodyLevel | null {
    const prepared = this.#policiesOf(resource.namespace).glance(principal, action, resource)
    // What cannot be judged may have been meant not to be kept.
    return typeof prepared === 'string' ? 'metadata' : recordLevelOf(prepared.policies)
  }

  explain(request: PolicyRequest): Explanation {
    return explainDecision(request, this.decide(request), this.#policiesOf(request.resource.namespace))
  }

  explainAccess(namespace: string, principal: PolicyRequest['principal']): readonly ToolAccess[] {
    return toolAccess(principal, this.#policiesOf(namespace))
  }

  analyze(namespace: string, agents: readonly PolicyRequest['principal'][]): PolicyAnalysis {
    return analyzePolicies(agents, this.#policiesOf(namespace))
  }

  canCall(question: AccessQuestion): AccessAnswer {
    const inForce = this.#policiesOf(question.principal.namespace ?? '')
    return findWitness(question, inForce, (request) => this.decide(request))
  }

  isWorking(): boolean {
    const works = answersProbe()
    // What a broken engine said when it worked is not given any more either.
    if (!works) this.#decisions.clear()
    return works
  }

  policySetHash(namespace: string): Digest | null {
    return this.#inForce.get(namespace)?.set.hash ?? null
  }

  #decide(request: PolicyRequest): UntimedDecision {
    let set: Digest | null = null
    try {
      const inForce = this.#policiesOf(request.resource.namespace)
      set = inForce.set.hash
      return decideRequest(request, inForce, this.#slots, this.#decisions)
    } catch {
      // Denies. The engine's own words may quote arguments, so they go no further; and an engine that throws may
      // have broken, so that what it said before is not given any more.
      this.#decisions.clear()
      return denyByError('The policy engine failed on this request.', set ?? sha256(builtInPolicies), null)
    }
  }

  /** Where a namespace has no policies of its own, the platform's: owners can set it up, nobody else gets anything. */
  #policiesOf(namespace: string): NamespacePolicies {
    const inForce = this.#inForce.get(namespace)
    if (inForce !== undefined) return inForce
    return new NamespacePolicies(
      parsePolicies([], this.#bodies).set,
      new ToolVocabulary({ namespace, tools: [] }),
      new Set(),
    )
  }

  #examine(
    sources: readonly PolicySource[],
    vocabulary: PolicyVocabulary,
    onMisfit: MisfitRule,
  ): { check: PolicyCheck; policies: NamespacePolicies | null } {
    const parsed: ParseOutcome = parsePolicies(sources, this.#bodies)
    const tools = new ToolVocabulary(vocabulary, parsed.set.facts)
    const checked = checkPolicies(parsed.set, sources, tools, this.#findings)
    const problems = [
      ...parsed.problems,
      // Where nobody is writing, advice on writing would look like a misfit.
      ...(onMisfit === 'refuse'
        ? checked.problems
        : checked.problems.filter(({ severity }) => severity === 'error').map(asWarning)),
    ]
    problems.sort(byPlace)
    if (problems.some(({ severity }) => severity === 'error')) return { check: { ok: false, problems }, policies: null }
    const policies = new NamespacePolicies(parsed.set, tools, checked.misfits)
    return {
      check: { ok: true, policySetHash: parsed.set.hash, policyCount: parsed.set.policies.length, problems },
      policies,
    }
  }
}

/** Whether Cedar answers one harmless question. */
function answersProbe(): boolean {
  try {
    const principal = { type: 'User', id: 'probe' }
    const action = { type: 'Action', id: 'audit' }
    const resource = { type: 'Namespace', id: 'probe' }
    const policies = { staticPolicies: 'permit (principal == User::"probe", action, resource);' }
    const answer = isAuthorized({ principal, action, resource, context: {}, policies, entities: [] })
    return answer.type === 'success' && answer.response.decision === 'allow'
  } catch {
    // Denies: an engine that throws here throws everywhere.
    return false
  }
}

function byPlace(left: PolicyProblem, right: PolicyProblem): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1
  const byLine = (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0)
  return byLine === 0 ? (left.message < right.message ? -1 : 1) : byLine
}

function asWarning(problem: PolicyProblem): PolicyProblem {
  return { ...problem, severity: 'warning' }
}
