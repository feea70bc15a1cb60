import { describe, expect, it } from 'vitest'
import { policyRequest, type RequestParts } from '../../test/support/policy-request.ts'
import { attributeReads, argumentNames } from './attribute-reads.ts'
import { LruMap } from './lru-map.ts'
import { parsePolicies } from './parse-policies.ts'
import { PolicyIndex } from './policy-index.ts'
import { principalEntity, resourceEntity } from './request-entities.ts'

function parsed(text: string) {
  const { set, problems } = parsePolicies([{ file: 'p', text }], new LruMap(100_000))
  expect(problems).toEqual([])
  return set.policies.filter(({ file }) => file === 'p')
}

function sliceFor(text: string, parts: RequestParts = {}): string[] {
  const { principal, action, resource } = policyRequest(parts)
  const principalSide = principalEntity(principal, 'demo')
  const resourceSide = resourceEntity(resource)
  if (typeof principalSide === 'string' || typeof resourceSide === 'string')
    throw new Error('the request contradicts itself')
  return new PolicyIndex(parsed(text)).slice(principalSide.scoped, action, resourceSide.scoped).map(({ id }) => id)
}

describe('the slice of a request', () => {
  const scoped = (principal: string, action: string, resource: string) =>
    `permit (${principal}, ${action}, ${resource});`

  it.each([
    ['principal', 'action', 'resource', true],
    ['principal == Agent::"demo/analyst"', 'action', 'resource', true],
    ['principal == Agent::"demo/mailer"', 'action', 'resource', false],
    ['principal in Agent::"demo/analyst"', 'action', 'resource', true],
    ['principal in AgentGroup::"demo/analysts"', 'action', 'resource', true],
    ['principal == AgentGroup::"demo/analysts"', 'action', 'resource', false],
    ['principal in Namespace::"demo"', 'action', 'resource', true],
    ['principal is Agent', 'action', 'resource', true],
    ['principal is User', 'action', 'resource', false],
    ['principal is Agent in AgentGroup::"demo/analysts"', 'action', 'resource', true],
    ['principal is User in AgentGroup::"demo/analysts"', 'action', 'resource', false],
    ['principal', 'action == Action::"call"', 'resource', true],
    ['principal', 'action in Action::"call"', 'resource', true],
    ['principal', 'action in [Action::"read", Action::"call"]', 'resource', true],
    ['principal', 'action in []', 'resource', false],
    ['principal', 'action == Action::"read"', 'resource', false],
    ['principal', 'action', 'resource == Tool::"demo/leads-top"', true],
    ['principal', 'action', 'resource == Resource::"demo/leads-top"', false],
    ['principal', 'action', 'resource in Service::"demo/leads"', true],
    ['principal', 'action', 'resource in Service::"demo/mail"', false],
    ['principal', 'action', 'resource is Tool in Namespace::"demo"', true],
    ['principal', 'action', 'resource is Prompt in Namespace::"demo"', false],
  ])('for %s, %s, %s: %s', (principal, action, resource, inScope) => {
    expect(sliceFor(scoped(principal, action, resource))).toEqual(inScope ? ['p#1'] : [])
  })

  it('has each policy once and in the order of the set', () => {
    const text = ['principal', 'principal in AgentGroup::"demo/analysts"', 'principal is Agent', 'principal']
      .map((one) => scoped(one, 'action', 'resource'))
      .join('\n')
    expect(sliceFor(text, { principal: { groups: ['analysts', 'analysts', 'demo/analysts'] } })).toEqual([
      'p#1',
      'p#2',
      'p#3',
      'p#4',
    ])
  })
})

describe('what a policy reads', () => {
  const reads = (body: string) => {
    const [policy] = parsed(`permit (principal, action, resource) when { ${body} };`)
    if (policy === undefined) throw new Error('no policy')
    const { names, everything } = attributeReads(policy.json)
    return { names: [...names].sort().join(' '), everything, args: [...argumentNames(policy.json)].sort().join(' ') }
  }

  it.each([
    ['context.args.limit < 3', 'args limit', 'limit', false],
    ['context.args["a b"] == 1', 'a b args', 'a b', false],
    ['context.args has limit', 'args limit', 'limit', false],
    ['context has args.filter.state', 'args filter state', 'filter', false],
    ['context.args.filter.state == context.door', 'args door filter state', 'filter', false],
    ['context.args.tags.contains("x")', 'args tags', 'tags', false],
    ['context.address.isInRange(ip("::/0")) && context.authn.method == "x"', 'address authn method', '', false],
    ['principal has namespace', 'namespace', '', false],
    ['context has args', 'args', '', false],
    ['true', '', '', false],
    ['context.args == context.args', 'args', '', true],
    ['context == context', '', '', true],
    ['[context.args].isEmpty()', 'args', '', true],
    ['(if principal is User then context else context).args.limit == 1', 'args limit', '', true],
    ['{a: context.args}.a.limit == 1', 'a args limit', '', true],
  ])('in %s', (body, names, args, everything) => {
    expect(reads(body)).toEqual({ names, args, everything })
  })
})
