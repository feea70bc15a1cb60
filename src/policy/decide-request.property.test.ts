import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest, type RequestParts } from '../../test/support/policy-request.ts'
import type { JsonObject } from '../kernel/index.ts'
import { validationSchema } from './cedar-schema.ts'
import { isAuthorized } from './cedar.ts'
import { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
import { LruMap } from './lru-map.ts'
import { parsePolicies } from './parse-policies.ts'
import { ToolVocabulary } from './tool-vocabulary.ts'

const anywhere = [
  'context.door == "tool"',
  'context.hour < 12',
  'context.weekday == 3',
  'context.address.isLoopback()',
  'context.address.isInRange(ip("10.0.0.0/8"))',
  'context.labels.contains("untrusted")',
  'context.authn.sender_constrained',
  'context.time < datetime("2026-09-02T10:40:00Z")',
  'context has door',
  'context.hour * 4611686018427387904 > 0',
  'principal is User',
  'principal in AgentGroup::"demo/analysts"',
  'principal in Namespace::"demo"',
  'principal == Agent::"demo/mailer"',
  'principal has namespace && principal.namespace == Namespace::"demo"',
  'resource in Service::"demo/leads"',
  'resource in [Service::"demo/mail", Namespace::"demo"]',
  'resource == Tool::"demo/leads-drop"',
  'Tool::"demo/leads-top" in Service::"demo/leads"',
  'action == Action::"call"',
  'true',
  'false',
  'if context.door == "tool" then resource is Tool else principal is User',
]
const aboutLeads = [
  'context.args.limit <= 10',
  'context.args.limit + 9223372036854775807 > 0',
  'context.args has score && context.args.score.lessThan(decimal("1.5"))',
  'context.args has tags && context.args.tags.contains("a")',
  'context.args has tags && context.args.tags.containsAll(["a", "b"])',
  'context.args has filter && context.args.filter.state == "NY"',
  'context.args has filter && context.args.filter has size && context.args.filter.size > 3',
  'context.args has filter.size',
  'context.args["query"] like "*secret*"',
  'context has args',
  '[context.args].contains(context.args)',
  'context == context',
]

const condition = (atoms: readonly string[]): fc.Arbitrary<string> =>
  fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.constantFrom(...atoms),
      fc
        .tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression'))
        .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
      tie('expression').map((inner) => `!(${inner})`),
    ),
  })).expression

const principals = [
  'principal',
  'principal is Agent',
  'principal is User',
  'principal == Agent::"demo/analyst"',
  'principal in AgentGroup::"demo/analysts"',
  'principal is Agent in Namespace::"demo"',
  'principal in Role::"owner"',
  'principal in AgentGroup::"demo/mailers"',
]
const actions = [
  'action',
  'action == Action::"call"',
  'action in [Action::"call", Action::"read"]',
  'action == Action::"manage"',
]
const resources = [
  'resource',
  'resource is Tool',
  'resource == Tool::"demo/leads-top"',
  'resource in Service::"demo/leads"',
  'resource in Namespace::"demo"',
  'resource is Tool in Service::"demo/mail"',
]

const policy = fc
  .oneof(
    fc.record({
      effect: fc.constantFrom('permit', 'permit', 'forbid'),
      principal: fc.constantFrom(...principals),
      action: fc.constantFrom(...actions),
      resource: fc.constantFrom(...resources),
      kind: fc.constantFrom('when', 'unless'),
      body: fc.option(condition(anywhere)),
    }),
    fc.record({
      effect: fc.constantFrom('permit', 'permit', 'forbid'),
      principal: fc.constantFrom(...principals),
      action: fc.constant('action == Action::"call"'),
      resource: fc.constant('resource == Tool::"demo/leads-top"'),
      kind: fc.constantFrom('when', 'unless'),
      body: fc.option(condition([...aboutLeads, 'context.door == "tool"'])),
    }),
  )
  .map(
    ({ effect, principal, action, resource, kind, body }) =>
      `${effect} (${principal}, ${action}, ${resource})${body === null ? '' : ` ${kind} { ${body} }`};`,
  )

const leadsArguments: fc.Arbitrary<JsonObject> = fc.record(
  {
    query: fc.constantFrom('companies', 'a secret', ''),
    limit: fc.constantFrom(0, 5, 11, 9007199254740991),
    score: fc.constantFrom(1, 1.5, -0.25, 0.12345, 1e20, null),
    tags: fc.subarray(['a', 'b', 'c']),
    filter: fc.constantFrom<JsonObject>(
      { state: 'NY', size: 4 },
      { state: 'CA', size: null },
      { state: 'NY', other: [1] },
    ),
    anything: fc.constantFrom(1, 'x', { deep: [null] }),
  },
  { requiredKeys: ['query', 'limit'] },
)

const request: fc.Arbitrary<RequestParts> = fc
  .record({
    principal: fc.constantFrom<RequestParts['principal']>(
      {},
      { groups: [] },
      { id: 'demo/mailer', groups: ['mailers', 'analysts'] },
      { id: 'other/analyst', namespace: 'other' },
      { type: 'user', id: 'olga', namespace: null, groups: ['owner'] },
      { type: 'user', id: 'uri', namespace: 'demo', groups: ['owner', 'demo/people'] },
    ),
    target: fc.oneof<fc.Arbitrary<RequestParts>[]>(
      leadsArguments.map((args) => ({ resource: {}, arguments: args })),
      fc.constant({ resource: { id: 'demo/leads-drop' }, arguments: { id: '1' } }),
      fc.constant({
        resource: { id: 'demo/mail-send', service: 'mail' },
        arguments: { to: ['a@example.com'], amount: 12.5, retries: 1 },
      }),
      fc.constant({
        action: 'manage' as const,
        resource: { type: 'Namespace' as const, id: 'demo', service: null },
        arguments: {},
      }),
    ),
    context: fc.record({
      door: fc.constantFrom('tool' as const, 'schedule' as const),
      labels: fc.constantFrom([], ['untrusted']),
      address: fc.constantFrom('127.0.0.1', '::ffff:10.1.2.3', ''),
      timeMs: fc.constantFrom(1_788_345_600_000, 1_788_300_000_000),
      authentication: fc.boolean().map((senderConstrained) => ({ method: 'api-key', senderConstrained })),
    }),
  })
  .map(({ principal = {}, target, context }) => ({ ...target, principal, context }))

/** The policies among the generated ones that pass the checks, one file of one line each. */
function valid(texts: readonly string[]): { file: string; text: string }[] {
  const engine = createCedarPolicyEngine()
  return texts
    .map((text, index) => ({ file: `p${index}.cedar`, text }))
    .filter((source) => engine.check([source], demoVocabulary).ok)
}

describe('deciding over the slice in scope', () => {
  it('gives the decision, the reasons and the errors of stock Cedar over the whole set, replayed from the recorded input', () => {
    let allowed = 0
    let failed = 0
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 12 }),
        fc.array(request, { minLength: 1, maxLength: 6 }),
        (texts, requests) => {
          const sources = valid(texts)
          const engine = createCedarPolicyEngine()
          expect(engine.install(sources, demoVocabulary).ok).toBe(true)
          const whole = parsePolicies(sources, new LruMap(1_000_000)).set.policies
          const vocabulary = new ToolVocabulary(demoVocabulary)
          for (const parts of requests) {
            const asked = policyRequest(parts)
            const decision = engine.decide(asked)
            if (decision.engineInput === '') {
              expect(decision).toMatchObject({ effect: 'deny', basis: 'error' })
              continue
            }
            const type = vocabulary.tools.get(asked.resource.id)?.arguments.type ?? {
              type: 'Record' as const,
              attributes: {},
            }
            const answer = isAuthorized({
              ...(JSON.parse(decision.engineInput) as Omit<Parameters<typeof isAuthorized>[0], 'policies'>),
              policies: { staticPolicies: Object.fromEntries(whole.map(({ id, text }) => [id, text])) },
              schema: validationSchema(type),
              validateRequest: true,
            })
            if (answer.type !== 'success') throw new Error(JSON.stringify(answer.errors))
            const { decision: stock, diagnostics } = answer.response
            expect(decision.effect).toBe(stock === 'allow' && diagnostics.errors.length === 0 ? 'allow' : 'deny')
            expect(decision.determining.map(({ id }) => id)).toEqual(diagnostics.reason.toSorted())
            expect(decision.errors.map(({ policyId }) => policyId).toSorted()).toEqual(
              diagnostics.errors.map(({ policyId }) => policyId).toSorted(),
            )
            if (decision.effect === 'allow') allowed += 1
            if (diagnostics.errors.length > 0 && stock === 'allow') failed += 1
          }
        },
      ),
      { numRuns: 100, seed: 20_260_902 },
    )
    // The property says something only if calls were allowed, and if stock Cedar alone would have allowed failed ones.
    expect(allowed).toBeGreaterThan(40)
    expect(failed).toBeGreaterThan(5)
  }, 120_000)

  it('hides a tool only if no request for it is allowed, and says always and never only if it is so', () => {
    let hidden = 0
    let always = 0
    fc.assert(
      fc.property(
        fc.array(policy, { minLength: 1, maxLength: 5 }),
        fc.array(request, { minLength: 1, maxLength: 20 }),
        (texts, requests) => {
          const engine = createCedarPolicyEngine()
          expect(engine.install(valid(texts), demoVocabulary).ok).toBe(true)
          for (const asked of requests.map((parts) => policyRequest(parts))) {
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
