import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../test/support/policy-request.ts'
import {
  randomFacts,
  randomPolicies,
  randomRequest,
  requestsInARow,
  type RandomPolicy,
} from '../../test/support/random-policies.ts'
import { canonicalJson, sha256, uuidv7 } from '../kernel/index.ts'
import type { CedarRecord } from './argument-type.ts'
import { CedarSlots } from './cedar-slots.ts'
import { validationSchema } from './cedar-schema.ts'
import { isAuthorized, type AuthorizationAnswer } from './cedar.ts'
import { checkPolicies, type ValidatorFindings } from './check-policies.ts'
import { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
import { decideRequest, type UntimedDecision } from './decide-request.ts'
import type { PolicyRequest } from './decision.ts'
import { DecisionCache } from './decision-cache.ts'
import { readFactsFile } from './facts/facts-file.ts'
import type { Judgement } from './judge-part.ts'
import { LruMap } from './lru-map.ts'
import { NamespacePolicies } from './namespace-policies.ts'
import { parsePolicies } from './parse-policies.ts'
import type { PolicyBody } from './policy-set.ts'
import { ToolVocabulary } from './tool-vocabulary.ts'

/** A cache that counts what it was asked, and what it had to ask Cedar. */
class CountingCache extends DecisionCache {
  answers = 0
  judged = 0

  override answer(...[prepared, part, judge]: Parameters<DecisionCache['answer']>): Judgement {
    this.answers += 1
    return super.answer(prepared, part, () => {
      this.judged += 1
      return judge()
    })
  }
}

const slots = new CedarSlots(uuidv7(0))
const bodies = new LruMap<PolicyBody>(1_000_000)
const findings = new LruMap<ValidatorFindings>(10_000)
const vocabulary = new ToolVocabulary(demoVocabulary, readFactsFile(randomFacts.text).facts)

/** The generated policies that may be written, and those that only their tools are against. */
const { fitting, misfits } = sorted(randomPolicies(700, 20_261_121))

function sorted(policies: readonly RandomPolicy[]): { fitting: RandomPolicy[]; misfits: RandomPolicy[] } {
  const { set, problems } = parsePolicies(policies, bodies)
  const broken = new Set(problems.filter(({ severity }) => severity === 'error').map(({ file }) => file))
  const against = checkPolicies(set, policies, vocabulary, findings).misfits
  const written = policies.filter(({ file }) => !broken.has(file))
  return {
    fitting: written.filter(({ id }) => !against.has(id)),
    misfits: written.filter(({ id }) => against.has(id)),
  }
}

const policySet = fc
  .tuple(
    fc.subarray(fitting, { minLength: 2, maxLength: 16 }),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant<RandomPolicy[]>([]) },
      { weight: 1, arbitrary: fc.subarray(misfits, { maxLength: 2 }) },
    ),
  )
  .map((parts) => parts.flat())

function inForce(policies: readonly RandomPolicy[]): NamespacePolicies {
  const { set } = parsePolicies(policies, bodies)
  return new NamespacePolicies(set, vocabulary, checkPolicies(set, policies, vocabulary, findings).misfits)
}

/** What stock Cedar answers over the whole set, from nothing but the text of the recorded input. */
function stock(
  engineInput: string,
  policies: Record<string, string>,
): Extract<AuthorizationAnswer, { type: 'success' }> {
  const input = JSON.parse(engineInput) as Omit<Parameters<typeof isAuthorized>[0], 'policies'>
  const tool = vocabulary.tools.get((input.resource as { id: string }).id)
  const answer = isAuthorized({
    ...input,
    policies: { staticPolicies: policies },
    schema: validationSchema(
      tool?.arguments.type ?? { type: 'Record', attributes: {} },
      tool && mayLack(tool.facts.type),
    ),
    validateRequest: true,
  })
  if (answer.type !== 'success') throw new Error(JSON.stringify(answer.errors))
  return answer
}

/** A fact that cannot be told, and that nothing in scope reads, is not in the input. */
function mayLack({ attributes }: CedarRecord): CedarRecord {
  const optional = Object.entries(attributes).map(([name, type]) => [name, { ...type, required: false }] as const)
  return { type: 'Record', attributes: Object.fromEntries(optional) }
}

/** The decision as the rules of the page say it: nothing of the index, the slices, the reads or the cache is used. */
function naively(engineInput: string, policies: readonly RandomPolicy[]) {
  const unfit = policies.filter((one) => misfits.includes(one))
  if (unfit.length === 0) return overAll(engineInput, policies)
  const scopes = Object.fromEntries(unfit.map(({ id, scopeAlone }) => [id, scopeAlone]))
  const inScope = new Set(stock(engineInput, scopes).response.diagnostics.reason)
  const first = unfit.find(({ id }) => inScope.has(id))
  if (first !== undefined)
    return { effect: 'deny', basis: 'error', determining: [], errors: [first.id], obligations: [] }
  return overAll(engineInput, policies)
}

function overAll(engineInput: string, policies: readonly RandomPolicy[]) {
  const whole = parsePolicies(policies, bodies).set.policies.map(({ id, text }) => [id, text])
  const { decision, diagnostics } = stock(engineInput, Object.fromEntries(whole) as Record<string, string>).response
  const errors = diagnostics.errors.map(({ policyId }) => policyId).toSorted()
  const determining = diagnostics.reason.toSorted()
  const allow = decision === 'allow' && errors.length === 0
  const denial = decision === 'deny' && determining.length > 0 ? 'forbid' : errors.length > 0 ? 'error' : 'default-deny'
  const demanded = policies.filter(({ id }) => allow && determining.includes(id)).map(({ obligation }) => obligation)
  const obligations = [...new Set(demanded.filter((text) => text !== null))].sort()
  return { effect: allow ? 'allow' : 'deny', basis: allow ? 'permit' : denial, determining, errors, obligations }
}

function shown({ effect, basis, determining, errors, obligations }: UntimedDecision) {
  const ids = determining.map(({ id }) => id)
  return { effect, basis, determining: ids, errors: errors.map(({ policyId }) => policyId).toSorted(), obligations }
}

describe('deciding over the slice in scope, by what it reads, from a cache', () => {
  it('gives what stock Cedar gives over the whole set, replayed from the recorded input', () => {
    // One cache for all the sets, as in a server where policies change.
    const cache = new CountingCache()
    const other = new DecisionCache()
    const seen = { allowed: 0, skippedForbids: 0, misfit: 0, obliged: 0, unjudged: 0 }
    fc.assert(
      fc.property(policySet, requestsInARow, (policies, row) => {
        const [first, second] = [inForce(policies), inForce(policies)]
        const requests = row.map((parts) => policyRequest(parts))
        const decisions = requests.map((request) => decideRequest(request, first, slots, cache))
        // In another order and from another cache, everything about a decision is the same, its input included.
        const again = requests.toReversed().map((request) => decideRequest(request, second, slots, other))
        expect(again.toReversed()).toEqual(decisions)
        const known = new Map<string, ReturnType<typeof naively>>()
        for (const decision of decisions) {
          const { engineInput, requestHash } = decision
          if (engineInput === '') {
            seen.unjudged += 1
            expect(decision).toMatchObject({ effect: 'deny', basis: 'error', determining: [] })
            continue
          }
          expect([engineInput, requestHash]).toEqual([canonicalJson(JSON.parse(engineInput)), sha256(engineInput)])
          const expected = known.get(engineInput) ?? naively(engineInput, policies)
          known.set(engineInput, expected)
          expect(shown(decision)).toEqual(expected)
          if (expected.effect === 'allow') seen.allowed += 1
          if (expected.effect === 'allow' && expected.obligations.length > 0) seen.obliged += 1
          if (expected.basis === 'error' && expected.determining.length > 0) seen.skippedForbids += 1
          if (misfits.some(({ id }) => expected.errors.includes(id))) seen.misfit += 1
        }
      }),
      { numRuns: 150, seed: 20_260_902 },
    )
    // The property says something only if calls were allowed, failed and did not fit, and if answers were remembered.
    expect(seen.allowed).toBeGreaterThan(100)
    expect(seen.obliged).toBeGreaterThan(40)
    expect(Math.min(seen.skippedForbids, seen.misfit, seen.unjudged)).toBeGreaterThan(5)
    expect(cache.answers - cache.judged).toBeGreaterThan(300)
    expect(cache.judged).toBeGreaterThan(150)
  }, 120_000)

  it('hides a tool only if no request for it is allowed, and says always and never only if it is so', () => {
    let hidden = 0
    let always = 0
    fc.assert(
      fc.property(
        fc.subarray(fitting, { minLength: 1, maxLength: 5 }),
        fc.array(randomRequest, { minLength: 1, maxLength: 20 }),
        (policies, requests) => {
          const engine = createCedarPolicyEngine()
          expect(engine.install([...policies, randomFacts], demoVocabulary).ok).toBe(true)
          for (const asked of requests.map((parts): PolicyRequest => policyRequest(parts))) {
            if (asked.action !== 'call') continue
            const { effect, engineInput } = engine.decide(asked)
            const visible = engine.isVisible({ principal: asked.principal, action: 'call', resource: asked.resource })
            const access = engine
              .explainAccess('demo', asked.principal)
              .find(({ tool }) => `demo/${tool}` === asked.resource.id)?.access
            if (effect === 'allow')
              expect([visible, access]).toEqual([true, access === 'always' ? 'always' : 'conditional'])
            if (access === 'always' && engineInput !== '') expect(effect).toBe('allow')
            if (!visible) hidden += 1
            if (access === 'always') always += 1
            expect(visible).toBe(access !== 'never')
          }
        },
      ),
      { numRuns: 80, seed: 20_260_903 },
    )
    expect(hidden).toBeGreaterThan(50)
    expect(always).toBeGreaterThan(10)
  }, 120_000)
})
