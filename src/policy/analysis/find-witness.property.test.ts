import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../../test/support/policy-request.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'

const scope = '(principal, action == Action::"call", resource == Tool::"demo/leads-top")'
const text = fc.constantFrom('a', 'b', 'ab', '')
const small = fc.integer({ min: -2, max: 4 })

const atom = fc.oneof(
  fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '==', '!='), small).map(([op, n]) => `context.args.limit ${op} ${n}`),
  fc.tuple(fc.constantFrom('==', '!='), text).map(([op, t]) => `context.args.query ${op} "${t}"`),
  fc.constantFrom('a*', '*b', '*', 'a*b', '*a*').map((pattern) => `context.args.query like "${pattern}"`),
  fc.constantFrom('context.args has exact', '(context.args has exact && context.args.exact)'),
  fc
    .tuple(fc.constantFrom('containsAll', 'containsAny'), fc.subarray(['a', 'b', 'c'], { minLength: 1 }))
    .map(([how, items]) => `(context.args has tags && context.args.tags.${how}(${JSON.stringify(items)}))`),
  fc
    .subarray(['a', 'b', 'c'], { minLength: 1 })
    .map((items) => `(context.args has tags && ${JSON.stringify(items)}.containsAll(context.args.tags))`),
  fc
    .subarray(['a', 'b', 'ab'], { minLength: 1 })
    .map((items) => `${JSON.stringify(items)}.contains(context.args.query)`),
  fc.constantFrom(
    'context.approved',
    'context.door == "code"',
    'context.labels.contains("x")',
    'principal in AgentGroup::"demo/analysts"',
  ),
  fc.constant('context.args.limit * 2 > context.args.limit + 1'),
)
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    atom,
    tie('condition').map((inner) => `!(${inner})`),
    fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map((parts) => `(${parts.join(' ')})`),
  ),
}))
const policies = fc
  .array(fc.tuple(fc.constantFrom('permit', 'permit', 'forbid'), fc.constantFrom('when', 'unless'), condition), {
    minLength: 1,
    maxLength: 4,
  })
  .map((all) => all.map(([effect, clause, body]) => `${effect} ${scope} ${clause} { ${body} };`).join('\n'))

const request = fc.record({
  arguments: fc.record(
    { query: text, limit: small, exact: fc.boolean(), tags: fc.subarray(['a', 'b', 'c', 'd']) },
    { requiredKeys: ['query', 'limit'] },
  ),
  context: fc.record({
    approved: fc.boolean(),
    door: fc.constantFrom('tool' as const, 'code' as const),
    labels: fc.subarray(['x', 'y']),
  }),
})

describe('the answer whether an agent can ever call a tool', () => {
  it('is no only where no request is allowed, and yes only with a request that is', { timeout: 60_000 }, () => {
    const answers = { yes: 0, no: 0, unknown: 0 }
    fc.assert(
      fc.property(policies, fc.array(request, { minLength: 20, maxLength: 20 }), (source, requests) => {
        const engine = createCedarPolicyEngine({ monotonicMs: () => 0 })
        const installed = engine.install([{ file: 'p.cedar', text: source }], demoVocabulary)
        if (!installed.ok) throw new Error(JSON.stringify(installed.problems))
        const { principal, arguments: args, context } = policyRequest()
        const inputSchema = demoVocabulary.tools[0]?.inputSchema ?? {}
        const found = engine.canCall({
          principal,
          tool: 'leads-top',
          inputSchema,
          arguments: args,
          context,
          fits: () => true,
        })
        answers[found.answer] += 1
        if (found.answer === 'yes') expect(engine.decide(found.request).effect).toBe('allow')
        if (found.answer !== 'no') return
        for (const asked of requests) expect(engine.decide(policyRequest(asked)).effect).toBe('deny')
      }),
      { numRuns: 150 },
    )
    // The search is worth something: it hardly ever has to say that it does not know.
    expect(answers.unknown).toBeLessThan(30)
    expect(Math.min(answers.yes, answers.no)).toBeGreaterThan(5)
  })
})
