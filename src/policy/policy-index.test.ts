import { describe, expect, it } from 'vitest'
import { policyRequest, type RequestParts } from '../../test/support/policy-request.ts'
import { attributeReads, readsKey } from './attribute-reads.ts'
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
    return [readsKey(attributeReads(policy.json)).replaceAll('"', ''), [...policy.argumentNames].sort().join(' ')]
  }

  // `*` stands for the whole value, `{}` for no more than whether it is there.
  it.each([
    ['context.args.limit < 3', '{args:{limit:*}}', 'limit'],
    ['context.args["a b"] == 1', '{args:{a b:*}}', 'a b'],
    ['context.args has limit', '{args:{limit:{}}}', 'limit'],
    ['context.args has limit && context.args.limit > 1', '{args:{limit:*}}', 'limit'],
    ['context has args.filter.state', '{args:{filter:{state:{}}}}', 'filter'],
    ['context.args.filter.state == context.door', '{args:{filter:{state:*}},door:*}', 'filter'],
    ['context.args.filter has state && context.args.filter == {}', '{args:{filter:*}}', 'filter'],
    ['context.args.tags.contains("x")', '{args:{tags:*}}', 'tags'],
    ['context.facts has to && context.facts.to.count < 3', '{facts:{to:{count:*}}}', ''],
    ['context.args.tags.containsAny(["x", context.operation])', '{args:{tags:*},operation:*}', 'tags'],
    ['context.args["query"] like "*x*"', '{args:{query:*}}', 'query'],
    ['!context.args.exact || -context.args.limit < 0', '{args:{exact:*,limit:*}}', 'exact limit'],
    ['context.address.isInRange(ip("::/0")) && context.authn.method == "x"', '{address:*,authn:{method:*}}', ''],
    [
      'context.usage.tool.calls_day < context.usage.agent.running',
      '{usage:{agent:{running:*},tool:{calls_day:*}}}',
      '',
    ],
    ['context.time.offset(duration("1h")) < datetime("2026-01-01")', '{time:*}', ''],
    ['principal has namespace && principal.namespace == Namespace::"x"', '{}', ''],
    ['principal.hasTag(context.door)', '{door:*}', ''],
    ['context has args', '{args:{}}', ''],
    ['context has "door"', '{door:{}}', ''],
    ['true', '{}', ''],
    ['if context.approved then context.hour == 1 else false', '{approved:*,hour:*}', ''],
    ['context.args == context.args', '{args:*}', ''],
    ['context.authn == {method: "x"}', '{authn:*}', ''],
    ['context == context', '*', ''],
    ['[context.args].isEmpty()', '{args:*}', ''],
    ['(if principal is User then context else context).args.limit == 1', '*', ''],
    ['(if principal is User then context.args else {limit: 1}) has limit', '{args:*}', ''],
    ['{a: context.args}.a.limit == 1', '{args:*}', ''],
    ['{Value: context.args, Var: "context"}.Value.limit == 1', '{args:*}', ''],
    ['{"__proto__": context.args, left: context.door, attr: "args"} has left', '{args:*,door:*}', ''],
    ['resource in [Service::"demo/leads"] && action in [Action::"call"]', '{}', ''],
  ])('in %s', (body, place, args) => {
    expect(reads(body)).toEqual([place, args])
  })
})
