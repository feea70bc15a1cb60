import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../../test/support/policy-request.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'
import type { AccessAnswer } from './access-answer.ts'

const tool = 'Tool::"demo/leads-top"'
const permit = `permit (principal, action == Action::"call", resource == ${tool})`
const forbid = `forbid (principal, action == Action::"call", resource == ${tool})`

function can(text: string, groups: readonly string[] = ['analysts']): AccessAnswer {
  const engine = createCedarPolicyEngine({ monotonicMs: () => 0 })
  const installed = engine.install([{ file: 'p.cedar', text }], demoVocabulary)
  if (!installed.ok) throw new Error(JSON.stringify(installed.problems))
  const { principal, arguments: args, context } = policyRequest({ principal: { groups } })
  const inputSchema = demoVocabulary.tools[0]?.inputSchema ?? {}
  return engine.canCall({ principal, tool: 'leads-top', inputSchema, arguments: args, context, fits: () => true })
}

describe('whether an agent can ever call a tool', () => {
  it.each([
    ['nothing asked', `${permit};`, {}],
    ['a number', `${permit} when { context.args.limit > 100 && context.args.limit != 101 };`, { args: { limit: 102 } }],
    ['a number from above', `${permit} when { 3 >= context.args.limit };`, { args: { limit: 0 } }],
    ['a text', `${permit} when { context.args.query == "x y" };`, { args: { query: 'x y' } }],
    ['a pattern', `${permit} when { context.args.query like "a*b" };`, { args: { query: 'ab' } }],
    [
      'one of several',
      `${permit} when { ["p", "q"].contains(context.args.query) } unless { context.args.query == "p" };`,
      { args: { query: 'q' } },
    ],
    [
      'an argument that need not be there',
      `${permit} when { context.args has exact && context.args.exact };`,
      { args: { exact: true } },
    ],
    [
      'one within one',
      `${permit} when { context.args has filter && context.args.filter.state == "NY" };`,
      { args: { filter: { state: 'NY' } } },
    ],
    [
      'a decimal',
      `${permit} when { context.args has score && context.args.score.greaterThan(decimal("2.5")) };`,
      { args: { score: 2.5001 } },
    ],
    [
      'a set',
      `${permit} when { context.args has tags && context.args.tags.containsAll(["a", "b"]) };`,
      { args: { tags: ['b', 'a'] } },
    ],
    [
      'a set within another',
      `${permit} when { context.args has tags && ["a"].containsAll(context.args.tags) && !context.args.tags.isEmpty() };`,
      { args: { tags: ['a'] } },
    ],
    ['the door', `${permit} when { context.door == "code" };`, { context: { door: 'code' } }],
    ['an approval', `${permit}; ${forbid} unless { context.approved };`, { context: { approved: true } }],
    [
      'a bound credential',
      `${permit} when { context.authn.binding == "mtls" };`,
      { context: { authentication: { senderConstrained: true } } },
    ],
    [
      'an address',
      `${permit} when { context.address.isInRange(ip("10.0.0.0/8")) };`,
      { context: { address: '10.0.0.0' } },
    ],
    ['a label', `${permit} when { context.labels.contains("seen") };`, { context: { labels: ['seen'] } }],
    [
      'what was used',
      `${permit} when { context.usage.tool.calls_day >= 5 };`,
      { context: { usage: { tool: { callsDay: 5 } } } },
    ],
    ['a choice', `${permit} when { if context.args.limit > 5 then context.door == "code" else context.approved };`, {}],
    ['something not understood', `${permit} when { context.args.limit * 2 > context.args.limit };`, {}],
    [
      'several forbids',
      `${permit}; ${forbid} when { context.args.limit > 1 }; ${forbid} when { context.args.query == "companies" };`,
      { args: { limit: 0 } },
    ],
  ])('finds a call that is allowed: %s', (_what, text, expected) => {
    const found = can(text)
    expect(found.answer).toBe('yes')
    if (found.answer !== 'yes') return
    expect(found.decision.effect).toBe('allow')
    const { args = {}, context = {} } = expected as { args?: object; context?: object }
    expect(found.request).toMatchObject({ arguments: args, context })
  })

  it('finds an hour and a day that a time can have', () => {
    const found = can(`${permit} when { context.hour >= 20 && context.weekday == 7 };`)
    expect(found.answer).toBe('yes')
    if (found.answer !== 'yes') return
    const at = new Date(found.request.context.timeMs)
    expect([at.getUTCDay(), at.getUTCHours() >= 20]).toEqual([0, true])
  })

  it.each([
    ['no permit', `${forbid};`, [{ permit: null, why: 'no-permit' }]],
    [
      'a contradiction',
      `${permit} when { context.args.limit > 5 && context.args.limit < 5 };`,
      [{ why: 'never-true' }],
    ],
    [
      'a contradiction of texts',
      `${permit} when { context.args.query == "a" && context.args.query like "b*" };`,
      [{ why: 'never-true' }],
    ],
    ['an hour that no day has', `${permit} when { context.hour == 24 };`, [{ why: 'never-true' }]],
    ['a door that agents do not come by', `${permit} when { context.door == "console" };`, [{ why: 'never-true' }]],
    [
      'a forbid of everything',
      `@id("a") ${permit}; @id("no") ${forbid};`,
      [{ permit: 'p.cedar#a', why: 'always-forbidden', forbids: ['p.cedar#no'] }],
    ],
    [
      'a forbid of the same',
      `@id("a") ${permit} when { context.args.limit > 5 }; @id("no") ${forbid} when { context.args.limit > 3 };`,
      [{ why: 'always-forbidden', forbids: ['p.cedar#no'] }],
    ],
    [
      'forbids that leave nothing together',
      `@id("a") ${permit}; @id("n1") ${forbid} when { context.args.limit > 3 }; @id("n2") ${forbid} when { context.args.limit < 5 };`,
      [{ why: 'always-forbidden', forbids: ['p.cedar#n1', 'p.cedar#n2'] }],
    ],
    [
      'others only',
      `permit (principal in AgentGroup::"demo/mailers", action == Action::"call", resource == ${tool});`,
      [{ permit: null, why: 'no-permit' }],
    ],
  ])('proves that there is none: %s', (_what, text, because) => {
    const found = can(text)
    expect(found).toMatchObject({ answer: 'no', because })
  })

  it('does not claim to know what it did not find', () => {
    const found = can(`${permit} when { context.args.limit * 7 == 700 && context.args.limit + 5 == 105 };`)
    expect(found).toMatchObject({ answer: 'unknown', bounds: { calls: 1000, steps: 50_000 } })
  })

  it('ends within its bounds for conditions with very many ways to be true', () => {
    const clause = (n: number): string => `(context.args.limit == ${n} || context.args.query == "q${n}")`
    const conditions = Array.from({ length: 60 }, (_, n) => clause(n)).join(' && ')
    const found = can(`${permit} when { ${conditions} };`)
    expect(found.answer).not.toBe('yes')
    expect(found.steps).toBeLessThanOrEqual(50_000)
  })
})
