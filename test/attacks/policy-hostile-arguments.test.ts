import { isAuthorized, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../src/kernel/index.ts'
import { createCedarPolicyEngine, type PolicyEngine } from '../../src/policy/index.ts'
import { demoVocabulary, policyRequest } from '../support/policy-request.ts'

/**
 * Threat category "authorization" (design/threats.md): arguments made to change what the policies see, or to break
 * what judges them.
 */
const text =
  'permit (principal, action == Action::"call", resource == Tool::"demo/leads-top") when { context.args.limit <= 100 };'

function engine(): PolicyEngine {
  const created = createCedarPolicyEngine()
  expect(created.install([{ file: 'leads.cedar', text }], demoVocabulary).ok).toBe(true)
  return created
}

const ask = (anything: JsonValue, rest = {}) =>
  policyRequest({ arguments: { query: 'x', limit: 5, anything, ...rest } })

const nested = (depth: number): JsonValue => {
  let value: JsonValue = 'x'
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? { in: value } : [value]
  return value
}

describe('arguments that pretend to be entities', () => {
  const owner = { __entity: { type: 'AgentGroup', id: 'demo/admins' } }

  it.each([
    ['an entity', owner],
    ['an extension value', { __extn: { fn: 'ip', arg: '127.0.0.1' } }],
    ['an expression', { __expr: 'principal' }],
    ['an entity in a list, deep down', { list: [{ more: [owner] }] }],
  ])('denies %s, even in an argument that no policy sees', (_, value) => {
    const decision = engine().decide(ask(value))
    expect(decision).toMatchObject({ effect: 'deny', basis: 'error', engineInput: '' })
    expect(decision.errors[0]?.message).toMatch(
      /^The arguments hold the key "__(entity|extn|expr)", which is reserved\.$/,
    )
  })

  it('denies one where the schema wants a string', () => {
    expect(engine().decide(ask(null, { query: owner }))).toMatchObject({ effect: 'deny', basis: 'error' })
  })

  it('allows the same shape with honest keys', () => {
    expect(engine().decide(ask({ entity: { type: 'AgentGroup', id: 'demo/admins' } }))).toMatchObject({
      effect: 'allow',
    })
  })

  it('makes Cedar without a schema trust the caller about who owns what: the control', () => {
    const call = {
      principal: { type: 'Agent', id: 'demo/analyst' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 'demo/leads-top' },
      policies: {
        staticPolicies:
          'permit (principal, action, resource) when { context.args.owner == AgentGroup::"demo/admins" };',
      },
      entities: [],
    }
    expect(isAuthorized({ ...call, context: { args: { owner } } })).toMatchObject({ response: { decision: 'allow' } })
    expect(isAuthorized({ ...call, context: { args: { owner: 'demo/admins' } } })).toMatchObject({
      response: { decision: 'deny' },
    })
  })
})

describe('arguments that break the engine', () => {
  it('denies nesting that Cedar cannot read and judges the next call as before', () => {
    const judged = engine()
    const decision = judged.decide(ask(nested(5_000)))
    expect(decision.errors).toEqual([{ policyId: null, message: 'The arguments nest more than 32 deep.' }])
    expect(decision).toMatchObject({ effect: 'deny', basis: 'error' })
    expect(judged.decide(ask(nested(31)))).toMatchObject({ effect: 'allow' })
    expect(judged.decide(ask(nested(32)))).toMatchObject({ effect: 'deny' })
  })

  it.each(['query', 'anything'])('denies a lone surrogate in %s and allows the whole pair', (name) => {
    expect(engine().decide(ask(null, { [name]: 'a\ud800' }))).toMatchObject({
      effect: 'deny',
      errors: [{ message: 'The arguments hold a string that is not Unicode text (a lone surrogate).' }],
    })
    expect(engine().decide(ask({ 'key\udc00': 1 }))).toMatchObject({ effect: 'deny', basis: 'error' })
    expect(engine().decide(ask(null, { [name]: 'a\ud83d\ude00' }))).toMatchObject({ effect: 'allow' })
  })

  it('makes stock Cedar throw: the control', () => {
    const stock = (query: JsonValue) =>
      isAuthorized({
        principal: { type: 'Agent', id: 'a' },
        action: { type: 'Action', id: 'call' },
        resource: { type: 'Tool', id: 't' },
        context: { args: { query: query as never } },
        policies: { staticPolicies: 'permit (principal, action, resource);' },
        entities: [],
      })
    expect(() => stock(nested(5_000))).toThrow('unwrap_throw')
    expect(() => stock('a\ud800')).toThrow('unexpected end of hex escape')
    expect(stock('fine')).toMatchObject({ response: { decision: 'allow' } })
  })

  it('denies a list that would keep Cedar busy for seconds where a policy reads it, and lets it pass where none does', () => {
    const tags = Array.from({ length: 100_000 }, (_, index) => `tag ${index}`)
    const reading = createCedarPolicyEngine()
    const tagged = `${text} forbid (principal, action == Action::"call", resource == Tool::"demo/leads-top") when { context.args has tags && context.args.tags.contains("x") };`
    expect(reading.install([{ file: 'leads.cedar', text: tagged }], demoVocabulary).ok).toBe(true)
    expect(reading.decide(ask(null, { tags }))).toMatchObject({
      effect: 'deny',
      basis: 'error',
      errors: [{ message: 'The arguments hold more than 4096 values that a policy here would have to judge.' }],
    })
    expect(reading.decide(ask(null, { tags: tags.slice(0, 4_000) }))).toMatchObject({ effect: 'allow' })
    expect(reading.decide(ask(null, { tags: ['t'.repeat(2_000_000)] }))).toMatchObject({
      effect: 'deny',
      basis: 'error',
    })
    expect(engine().decide(ask(tags, { tags, query: 't'.repeat(2_000_000) }))).toMatchObject({ effect: 'allow' })
  })

  it('denies numbers that JSON cannot carry', () => {
    expect(engine().decide(ask(Number.POSITIVE_INFINITY))).toMatchObject({ effect: 'deny', basis: 'error' })
  })
})

describe('numbers that no policy can judge exactly', () => {
  const amountText =
    'permit (principal, action == Action::"call", resource == Tool::"demo/mail-send");\n' +
    'forbid (principal, action == Action::"call", resource == Tool::"demo/mail-send") when { context.args.amount.greaterThan(decimal("100.0")) };'
  const send = (amount: number, retries = 1) =>
    policyRequest({ resource: { id: 'demo/mail-send', service: 'mail' }, arguments: { to: [], amount, retries } })
  const limited = (): PolicyEngine => {
    const created = createCedarPolicyEngine()
    expect(created.install([{ file: 'mail.cedar', text: amountText }], demoVocabulary).ok).toBe(true)
    return created
  }

  it('denies a number between two decimals where a policy reads it', () => {
    expect(limited().decide(send(100.00004))).toMatchObject({ effect: 'deny', basis: 'error' })
    expect(limited().decide(send(1e15))).toMatchObject({ effect: 'deny', basis: 'error' })
  })

  it('judges what a decimal holds, and lets pass what no policy reads', () => {
    expect(limited().decide(send(100))).toMatchObject({ effect: 'allow' })
    expect(limited().decide(send(100.0001))).toMatchObject({ effect: 'deny', basis: 'forbid' })
    const reckless = createCedarPolicyEngine()
    const [permit = ''] = amountText.split('\n')
    expect(reckless.install([{ file: 'mail.cedar', text: permit }], demoVocabulary).ok).toBe(true)
    expect(reckless.decide(send(100.00004))).toMatchObject({ effect: 'allow' })
  })

  it('passes the limit if it is rounded to a decimal: the control', () => {
    const input = JSON.parse(limited().decide(send(100)).engineInput) as Omit<
      Parameters<typeof isAuthorized>[0],
      'policies'
    >
    const args = { to: [], amount: { __extn: { fn: 'decimal', arg: (100.00004).toFixed(4) } }, retries: 1 }
    const answer = isAuthorized({
      ...input,
      context: { ...input.context, args },
      policies: { staticPolicies: amountText },
    })
    expect(answer).toMatchObject({ response: { decision: 'allow' } })
  })

  it('denies integers beyond 2^53 - 1, which readers of JSON take for different numbers', () => {
    expect(limited().decide(send(1, 2 ** 53))).toMatchObject({
      effect: 'deny',
      basis: 'error',
      errors: [
        { message: 'The argument "retries" holds an integer beyond 2^53 - 1, which policies cannot judge exactly.' },
      ],
    })
    expect(limited().decide(send(1, 2 ** 53 - 1))).toMatchObject({ effect: 'allow' })
    expect(JSON.parse('9007199254740993')).toBe(9_007_199_254_740_992)
  })
})

describe('what an answer says about the arguments', () => {
  it('never holds a value of an argument, whatever went wrong', () => {
    const canary = 'canary-4f1c'
    const judged = engine()
    for (const value of [
      { query: [canary] },
      { limit: canary },
      { query: `${canary}\ud800` },
      { filter: canary },
      { tags: [canary, 1] },
    ]) {
      const decision = judged.decide(ask(null, value))
      const { engineInput, ...rest } = decision
      expect(decision).toMatchObject({ effect: 'deny', basis: 'error' })
      expect(JSON.stringify(rest)).not.toContain(canary)
      expect(engineInput).toBe('')
    }
  })

  it("would hold them if Cedar's own sentence were passed on: the control", () => {
    preparsePolicySet('control/canary', {
      staticPolicies: 'permit (principal, action, resource) when { context.secret * 4 > 0 };',
    })
    const answer = statefulIsAuthorized({
      principal: { type: 'Agent', id: 'a' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 't' },
      context: { secret: 4_611_686_018_427_387_904 },
      preparsedPolicySetId: 'control/canary',
      entities: [],
    })
    expect(JSON.stringify(answer)).toContain('the values `4611686018427388000` and')
  })
})
