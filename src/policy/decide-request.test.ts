import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { demoVocabulary, policyRequest, type RequestParts } from '../../test/support/policy-request.ts'
import { digestJson, sha256 } from '../kernel/index.ts'
import { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
import type { PolicyRequest } from './decision.ts'
import type { PolicyEngine } from './policy-engine.ts'

interface Case extends RequestParts {
  readonly name: string
  readonly gives: string
  readonly obligations?: readonly string[]
  readonly errors?: readonly string[]
  readonly misses?: readonly string[]
}

const table = parse(readFileSync(new URL('decide-request.cases.yaml', import.meta.url), 'utf8')) as {
  policies: string
  cases: Case[]
}

function engineWith(text: string): PolicyEngine {
  const engine = createCedarPolicyEngine({ monotonicMs: () => 0 })
  expect(engine.install([{ file: 'policies.cedar', text }], demoVocabulary).ok).toBe(true)
  return engine
}

describe('deciding', () => {
  const engine = engineWith(table.policies)

  it.each(table.cases)('$name', ({ name: _, gives, obligations = [], errors = [], misses, ...parts }) => {
    const { decision, nearMisses } = engine.explain(policyRequest(parts))
    const ids = decision.determining.map(({ id }) => id)
    expect([decision.effect, decision.basis, ...ids].join(' ')).toBe(gives)
    expect(decision.obligations).toEqual(obligations)
    expect(decision.errors.map(({ message }) => message)).toEqual(errors)
    if (misses !== undefined)
      expect(nearMisses.map(({ policyId, failedCondition }) => `${policyId}: ${failedCondition}`)).toEqual(misses)
  })
})

describe('a decision', () => {
  it("names the policies that determined it as people know them, with their text's hash", () => {
    const text =
      '// mail\n\n  @id("a")\n@reason("Because.")\n@remedy("sign in")\nforbid (principal, action, resource); forbid (principal, action, resource); forbid (principal, action, resource);'
    const { determining } = engineWith(text).decide(policyRequest())
    expect(determining).toEqual([
      {
        id: 'policies.cedar#6',
        effect: 'forbid',
        textHash: sha256('forbid (principal, action, resource);'),
        reason: null,
        remedy: null,
      },
      {
        id: 'policies.cedar#6:77',
        effect: 'forbid',
        textHash: sha256('forbid (principal, action, resource);'),
        reason: null,
        remedy: null,
      },
      {
        id: 'policies.cedar#a',
        effect: 'forbid',
        textHash: sha256('@id("a")\n@reason("Because.")\n@remedy("sign in")\nforbid (principal, action, resource);'),
        reason: 'Because.',
        remedy: 'sign in',
      },
    ])
  })

  it('carries the RFC 8785 text of what was judged, and its hashes', () => {
    const engine = engineWith('permit (principal, action, resource);')
    const asked = policyRequest({
      arguments: { query: 'é', limit: 5, score: -0.5, tags: ['b', 'a'], filter: { state: 'NY', size: null } },
      context: { labels: ['b', 'a', 'b'] },
    })
    const decision = engine.decide(asked)
    const input = JSON.parse(decision.engineInput) as { entities: unknown }
    const nothing = { bytes_out_day: 0, calls_day: 0, calls_minute: 0, running: 0, spend_day: 0 }
    expect(input).toEqual({
      action: { type: 'Action', id: 'call' },
      principal: { type: 'Agent', id: 'demo/analyst' },
      resource: { type: 'Tool', id: 'demo/leads-top' },
      context: {
        args: {
          query: 'é',
          limit: 5,
          score: { __extn: { fn: 'decimal', arg: '-0.5000' } },
          tags: ['b', 'a'],
          filter: { state: 'NY' },
        },
        address: { __extn: { fn: 'ip', arg: '127.0.0.1' } },
        approved: false,
        authn: {
          actors: [],
          age_seconds: 0,
          binding: 'none',
          client: '',
          issuer: '',
          method: 'api-key',
          sender_constrained: false,
        },
        door: 'tool',
        facts: {},
        hour: 10,
        weekday: 3,
        labels: ['a', 'b'],
        operation: '',
        time: { __extn: { fn: 'datetime', arg: '2026-09-02T10:40:00.000Z' } },
        usage: { agent: nothing, tool: nothing },
      },
      entities: [
        {
          uid: { type: 'Agent', id: 'demo/analyst' },
          attrs: { namespace: { __entity: { type: 'Namespace', id: 'demo' } } },
          parents: [
            { type: 'AgentGroup', id: 'demo/analysts' },
            { type: 'Namespace', id: 'demo' },
          ],
        },
        {
          uid: { type: 'Tool', id: 'demo/leads-top' },
          attrs: {},
          parents: [
            { type: 'Namespace', id: 'demo' },
            { type: 'Service', id: 'demo/leads' },
          ],
        },
      ],
    })
    expect(decision.requestHash).toBe(digestJson(input))
    expect(decision.requestHash).toBe(sha256(decision.engineInput))
    expect(decision.entitiesHash).toBe(digestJson(input.entities))
    expect(decision.policySetHash).toBe(engine.policySetHash('demo'))
    expect(decision.schemaHash).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(decision.engine).toEqual({ name: 'cedar', version: '4.13.0' })
  })

  it('does not depend on the order of groups or labels', () => {
    const engine = engineWith('permit (principal, action, resource);')
    const one = engine.decide(
      policyRequest({ principal: { groups: ['analysts', 'mailers'] }, context: { labels: ['x', 'y'] } }),
    )
    const two = engine.decide(
      policyRequest({
        principal: { groups: ['mailers', 'analysts', 'mailers'] },
        context: { labels: ['y', 'x', 'x'] },
      }),
    )
    expect(two.requestHash).toBe(one.requestHash)
  })

  it('keeps the least that the determining policies say, and that of all in scope where none determined', () => {
    const levels = (text: string, parts = {}) => engineWith(text).decide(policyRequest(parts)).recordLevel
    const request = '@obligation("record request") permit (principal, action, resource);'
    const scope = 'principal, action == Action::"call", resource == Tool::"demo/leads-top"'
    const small = `@obligation("record metadata") permit (${scope}) when { context.args.limit < 9 };`
    const large = { arguments: { query: 'q', limit: 10 } }
    expect(levels('permit (principal, action, resource);')).toBeNull()
    expect(levels(request)).toBe('request')
    expect(levels(request + small)).toBe('metadata')
    // The strict one did not come to hold, and the other did: what it says counts.
    expect(levels(request + small, large)).toBe('request')
    expect(levels(small, large)).toBe('metadata')
    const forbid = '@obligation("record request") forbid (principal, action, resource);'
    expect(levels(small + forbid)).toBe('request')
    expect(engineWith(small + forbid).decide(policyRequest()).obligations).toEqual(['record request'])
    const unjudged = { ...large, arguments: { query: 'q', limit: 5, __entity: {} } }
    expect(levels(small, unjudged)).toBe('metadata')
  })

  it('says what may be kept of a request that is never decided', () => {
    const engine = engineWith(
      '@obligation("record metadata") permit (principal, action == Action::"call", resource == Tool::"demo/leads-top") when { context.args.limit < 9 };',
    )
    const { principal, action, resource } = policyRequest()
    expect(engine.recordLevel({ principal, action, resource })).toBe('metadata')
    const other = { ...resource, id: 'demo/mail-send', service: 'mail' }
    expect(engine.recordLevel({ principal, action, resource: other })).toBeNull()
    expect(engine.recordLevel({ principal, action, resource: { ...resource, id: 'demo/gone' } })).toBe('metadata')
  })

  it('collects the obligations of every permit that applies, sorted, and of none on a denial', () => {
    const text = (tail: string) =>
      `@obligation("redact email") permit (principal, action, resource); @obligation("limit-rows 5") permit (principal, action, resource);
       @obligation("limit-rows 5") permit (principal, action, resource); @obligation("notify never") permit (principal is User, action, resource); ${tail}`
    expect(engineWith(text('')).decide(policyRequest()).obligations).toEqual(['limit-rows 5', 'redact email'])
    expect(engineWith(text('forbid (principal, action, resource);')).decide(policyRequest()).obligations).toEqual([])
  })

  it('says how long it took by the clock that it was given', () => {
    let now = 5
    const engine = createCedarPolicyEngine({ monotonicMs: () => (now += 1.25) })
    expect(engine.decide(policyRequest()).durationUs).toBe(1250)
  })

  it("is a deny where the namespace has no policies, where only the platform's own hold", () => {
    const engine = createCedarPolicyEngine()
    expect(engine.decide(policyRequest())).toMatchObject({ effect: 'deny' })
    const owner = {
      principal: { type: 'user', id: 'olga', namespace: null, groups: ['owner'] },
      resource: { type: 'Namespace', id: 'demo', service: null },
      arguments: {},
    } as const
    expect(engine.decide(policyRequest({ ...owner, action: 'manage' }))).toMatchObject({ effect: 'allow' })
    expect(engine.decide(policyRequest({ ...owner, action: 'manage', principal: { groups: [] } }))).toMatchObject({
      effect: 'deny',
    })
  })

  it('is a deny with basis error, and nothing is thrown, for a request of the wrong form', () => {
    const engine = engineWith('permit (principal, action, resource);')
    const wrong: unknown[] = [
      null,
      {},
      { ...policyRequest(), principal: null },
      { ...policyRequest(), principal: { ...policyRequest().principal, type: 'robot' } },
      { ...policyRequest(), principal: { ...policyRequest().principal, type: 'toString' } },
      { ...policyRequest(), action: 'constructor' },
      { ...policyRequest(), context: {} },
      { ...policyRequest(), arguments: null },
      { ...policyRequest(), arguments: undefined },
      policyRequest({ context: { timeMs: Number.NaN } }),
      policyRequest({ context: { timeMs: 1e15 } }),
      policyRequest({ context: { labels: ['\ud800'] } }),
    ]
    for (const request of wrong)
      expect(engine.decide(request as PolicyRequest)).toMatchObject({ effect: 'deny', basis: 'error', determining: [] })
    expect(engine.decide(policyRequest())).toMatchObject({ effect: 'allow' })
  })
})

describe('installing policies', () => {
  it('changes decisions at once, and only in that namespace', () => {
    const engine = engineWith('permit (principal, action, resource);')
    const other = policyRequest({
      principal: { id: 'other/a', namespace: 'other', groups: [] },
      resource: { id: 'other/leads-top', namespace: 'other' },
    })
    expect(
      engine.install([{ file: 'a.cedar', text: 'permit (principal, action, resource);' }], {
        ...demoVocabulary,
        namespace: 'other',
      }).ok,
    ).toBe(true)
    expect(engine.decide(policyRequest())).toMatchObject({ effect: 'allow' })
    expect(engine.install([], demoVocabulary).ok).toBe(true)
    expect(engine.decide(policyRequest())).toMatchObject({ effect: 'deny', basis: 'default-deny' })
    expect(engine.decide(other)).toMatchObject({ effect: 'allow' })
    engine.remove('other')
    expect(engine.decide(other)).toMatchObject({ effect: 'deny' })
  })

  it('keeps two engines in one process apart', () => {
    const open = engineWith('permit (principal, action, resource);')
    const closed = engineWith('forbid (principal, action, resource);')
    for (let turn = 0; turn < 2; turn += 1) {
      expect(open.decide(policyRequest())).toMatchObject({ effect: 'allow' })
      expect(closed.decide(policyRequest())).toMatchObject({ effect: 'deny', basis: 'forbid' })
    }
  })
})

describe('what a principal can do', () => {
  const engine = engineWith(table.policies)

  it('is told for every tool, with the policies behind it', () => {
    const access = (parts: RequestParts) =>
      engine
        .explainAccess('demo', policyRequest(parts).principal)
        .map(({ tool, access, policyIds }) => [tool, access, ...policyIds].join(' '))
    expect(access({})).toEqual([
      'leads-drop never policies.cedar#never-drop',
      'leads-top conditional policies.cedar#analysts-query policies.cedar#no-secrets policies.cedar#bound-credentials-abroad',
      'mail-send never',
    ])
    expect(access({ principal: { groups: ['mailers'] } })).toEqual([
      'leads-drop never policies.cedar#never-drop',
      'leads-top never',
      'mail-send conditional policies.cedar#mailers-send policies.cedar#inside-only policies.cedar#spend-limit policies.cedar#trusted-input policies.cedar#bound-credentials-abroad',
    ])
    const always = engineWith(
      '@id("x") permit (principal, action, resource); forbid (principal is User, action, resource);',
    )
    expect(always.explainAccess('demo', policyRequest().principal).map((one) => one.access)).toEqual([
      'always',
      'always',
      'always',
    ])
  })

  it('decides what it sees: what is never allowed is hidden, what is allowed under conditions is shown', () => {
    const { principal, resource } = policyRequest()
    const sees = (id: string, service: string) =>
      engine.isVisible({ principal, action: 'call', resource: { ...resource, id, service } })
    expect([
      sees('demo/leads-top', 'leads'),
      sees('demo/leads-drop', 'leads'),
      sees('demo/mail-send', 'mail'),
      sees('demo/none', 'leads'),
    ]).toEqual([true, false, false, false])
    expect(
      engine.isVisible({
        principal,
        action: 'read',
        resource: { type: 'Resource', id: 'demo/file:///leads.csv', namespace: 'demo', service: 'leads' },
      }),
    ).toBe(true)
    expect(
      engine.isVisible({
        principal,
        action: 'prompt',
        resource: { type: 'Prompt', id: 'demo/other', namespace: 'demo', service: 'leads' },
      }),
    ).toBe(false)
    expect(engine.isVisible({ principal, action: 'call' } as never)).toBe(false)
  })
})
