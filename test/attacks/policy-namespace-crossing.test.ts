import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import { createCedarPolicyEngine, type PolicyEngine } from '../../src/policy/index.ts'
import { demoVocabulary, policyRequest } from '../support/policy-request.ts'

/** I1 (design/threats.md): what belongs to one tenant is reached by another, here with policies that permit everything. */
const text = '@id("all") permit (principal, action, resource);'

function engine(): PolicyEngine {
  const created = createCedarPolicyEngine()
  expect(created.install([{ file: 'all.cedar', text }], demoVocabulary).ok).toBe(true)
  expect(created.install([{ file: 'all.cedar', text }], { ...demoVocabulary, namespace: 'other' }).ok).toBe(true)
  return created
}

const intruder = { id: 'other/analyst', namespace: 'other', groups: ['analysts'] } as const

describe('a principal of another namespace', () => {
  it('is forbidden by the platform itself, visibly, whatever the policies permit', () => {
    expect(engine().decide(policyRequest({ principal: intruder }))).toMatchObject({
      effect: 'deny',
      basis: 'forbid',
      determining: [
        {
          id: 'builtin#namespace-boundary',
          effect: 'forbid',
          reason: 'Agents and users of one namespace reach nothing in another.',
        },
      ],
    })
  })

  it('sees nothing there', () => {
    const { principal, resource } = policyRequest({ principal: intruder })
    expect(engine().isVisible({ principal, action: 'call', resource })).toBe(false)
    expect(
      engine()
        .explainAccess('demo', principal)
        .map(({ access }) => access),
    ).toEqual(['never', 'never', 'never'])
  })

  it('is let in where it belongs, and so is a platform user without a namespace', () => {
    expect(engine().decide(policyRequest())).toMatchObject({ effect: 'allow' })
    const { resource } = policyRequest({ resource: { id: 'other/leads-top', namespace: 'other' } })
    expect(engine().decide(policyRequest({ principal: intruder, resource }))).toMatchObject({ effect: 'allow' })
    expect(
      engine().decide(policyRequest({ principal: { type: 'user', id: 'olga', namespace: null, groups: [] } })),
    ).toMatchObject({ effect: 'allow' })
  })

  it.each([
    ['an agent with an id of another namespace', { principal: { id: 'demo/analyst', namespace: 'other' } }],
    ['an agent without a namespace', { principal: { namespace: null } }],
    [
      'an agent in a group of another namespace',
      { principal: { id: 'other/analyst', namespace: 'other', groups: ['demo/analysts'] } },
    ],
    [
      'a user in a group of another namespace',
      { principal: { type: 'user' as const, id: 'uri', namespace: 'other', groups: ['demo/people'] } },
    ],
    ['a tool with an id of another namespace', { resource: { id: 'other/leads-top' } }],
    [
      'a namespace that is not the one it says',
      { action: 'audit' as const, resource: { type: 'Namespace' as const, id: 'other', service: null } },
    ],
  ])('is not made to fit by a request that contradicts itself: %s', (_, parts) => {
    expect(engine().decide(policyRequest(parts))).toMatchObject({ effect: 'deny', basis: 'error' })
  })

  it("is let in by the same policies without the platform's own: the control", () => {
    const input = JSON.parse(engine().decide(policyRequest({ principal: intruder })).engineInput) as Omit<
      Parameters<typeof isAuthorized>[0],
      'policies'
    >
    expect(isAuthorized({ ...input, policies: { staticPolicies: text } })).toMatchObject({
      response: { decision: 'allow' },
    })
  })
})

describe('policies about another namespace', () => {
  it.each([
    [
      'permit (principal == Agent::"other/analyst", action, resource);',
      'Agent::"other/analyst" is of another namespace than "demo", which these policies are of',
    ],
    [
      'permit (principal, action, resource == Tool::"other/leads-top");',
      'Tool::"other/leads-top" is of another namespace than "demo", which these policies are of',
    ],
    [
      'permit (principal, action, resource in Namespace::"other");',
      'these policies are of namespace "demo" and cannot speak of "other"',
    ],
  ])('cannot be written: %s', (policy, message) => {
    const check = createCedarPolicyEngine().check([{ file: 'x.cedar', text: policy }], demoVocabulary)
    expect(check).toMatchObject({ ok: false, problems: [{ severity: 'error', message }] })
  })
})
