import fc from 'fast-check'
import type { JsonObject } from '../../src/kernel/index.ts'
import type { CallUsage, PolicyRequest, PolicySource } from '../../src/policy/index.ts'
import type { RequestParts } from './policy-request.ts'

/** A random policy about `demoVocabulary`, in a file of its own. */
export interface RandomPolicy extends PolicySource {
  /** Its id in a set: the file holds this policy and nothing else. */
  readonly id: string
  /** A permit with the same scope and no conditions. */
  readonly scopeAlone: string
  readonly obligation: string | null
}

/** Facts for the random policies to read. */
export const randomFacts: PolicySource = {
  file: 'facts.yaml',
  text: `facts:
  leads-top:
    tags: { extract: count, of: items, from: tags }
  mail-send:
    recipients: { extract: email-recipients, from: to }
`,
}

const anywhere = [
  'context.door == "tool"',
  'context.hour < 12',
  'context.weekday == 3',
  'context.address.isLoopback()',
  'context.address.isInRange(ip("10.0.0.0/8"))',
  'context.labels.contains("untrusted")',
  'context.labels.containsAny(["untrusted", context.door])',
  '[context.labels].contains(["untrusted"])',
  'context.authn.sender_constrained',
  'context.authn.age_seconds < 60',
  'context.authn.client like "app-*"',
  'context.authn.actors.isEmpty()',
  'context.authn == context.authn && context.authn.method == "api-key"',
  'context has authn.client',
  'context.time < datetime("2026-09-02T10:40:00Z")',
  'context has door',
  'context has usage.tool.running',
  'context.approved',
  'context.usage.tool.calls_day < 3',
  'context.usage.agent.running == 0',
  'context.usage.agent.spend_day + 9223372036854775807 > 0',
  '(if context.approved then context.usage.tool else context.usage.agent).calls_day < 3',
  '{ Value: context.door, Var: "context" }.Value == "tool"',
  '{ args: context.usage.tool, usage: 1 }.args.running == 0',
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
  'context.door == "tool"',
  'context.args.limit <= 10',
  'context.args.limit + 9223372036854775807 > 0',
  'context.args has score',
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
  'context.facts.tags < 2',
  'context.facts has tags',
  'context.args has exact && context.args.exact == context.approved',
]
const aboutMail = [
  'context.facts.recipients.count <= 1',
  '["example.com"].containsAll(context.facts.recipients.domains)',
  'context.facts.recipients.addresses.contains("a@example.com")',
  '[context.facts].contains(context.facts)',
  'context.args.to.contains("nobody")',
  'context.args.retries > 0',
]
/** Arguments that no tool has, or only other tools have. */
const unfitting = ['context.args.gone == 1', 'context.args has limit && context.args.gone', 'context.facts.gone < 1']

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
  'resource == Tool::"demo/gone"',
]

const shapes = fc.oneof(
  { weight: 6, arbitrary: shape(actions, resources, anywhere) },
  { weight: 6, arbitrary: shape(['action == Action::"call"'], ['resource == Tool::"demo/leads-top"'], aboutLeads) },
  { weight: 3, arbitrary: shape(['action == Action::"call"'], ['resource == Tool::"demo/mail-send"'], aboutMail) },
  { weight: 1, arbitrary: shape(['action == Action::"call"'], ['resource in Service::"demo/leads"'], unfitting) },
)

function shape(actions: readonly string[], resources: readonly string[], atoms: readonly string[]) {
  return fc.record({
    effect: fc.constantFrom('permit', 'permit', 'forbid'),
    principal: fc.constantFrom(...principals),
    action: fc.constantFrom(...actions),
    resource: fc.constantFrom(...resources),
    kind: fc.constantFrom('when', 'unless'),
    body: fc.option(condition(atoms)),
    obligation: fc.constantFrom(null, null, 'redact email', 'limit-rows 5; notify security'),
  })
}

/** The same random policies for the same seed. Some are refused when they are written, some for their tools only. */
export function randomPolicies(count: number, seed: number): RandomPolicy[] {
  return fc
    .sample(shapes, { numRuns: count, seed })
    .map(({ effect, principal, action, resource, kind, body, obligation: demanded }, index) => {
      const file = `p${index}.cedar`
      const obligation = effect === 'permit' ? demanded : null
      const annotation = obligation === null ? '' : `@obligation("${obligation}") `
      const scope = `(${principal}, ${action}, ${resource})`
      const text = `${annotation}${effect} ${scope}${body === null ? '' : ` ${kind} { ${body} }`};`
      return { file, text, id: `${file}#1`, scopeAlone: `permit ${scope};`, obligation }
    })
}

const leadsArguments: fc.Arbitrary<JsonObject> = fc.record(
  {
    query: fc.constantFrom('companies', 'a secret', ''),
    limit: fc.constantFrom(0, 5, 11, 9007199254740991),
    score: fc.constantFrom(1, 1.5, -0.25, 0.12345, 1e20, null),
    exact: fc.boolean(),
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
const mailArguments: fc.Arbitrary<JsonObject> = fc.record({
  to: fc.constantFrom(['a@example.com'], ['a@example.com', 'b@evil.example'], ['nobody'], []),
  amount: fc.constantFrom(12.5, 1),
  retries: fc.constantFrom(0, 1),
})

const figures = fc.record({
  callsMinute: fc.constant(1),
  callsDay: fc.constantFrom(0, 2, 5),
  bytesOutDay: fc.constantFrom(0, 100),
  spendDay: fc.constantFrom(0, 1),
  running: fc.constantFrom(0, 1),
})
const usage: fc.Arbitrary<CallUsage> = fc.record({ agent: figures, tool: figures })

type Context = PolicyRequest['context']

const contextParts = {
  door: fc.constantFrom('tool' as const, 'schedule' as const),
  operation: fc.constantFrom('', 'agent.add'),
  labels: fc.constantFrom([], ['untrusted']),
  address: fc.constantFrom('127.0.0.1', '::ffff:10.1.2.3', ''),
  timeMs: fc.constantFrom(1_788_345_600_000, 1_788_345_600_001, 1_788_300_000_000),
  approved: fc.boolean(),
  usage,
  authentication: fc.record({
    method: fc.constant('api-key'),
    senderConstrained: fc.boolean(),
    ageSeconds: fc.constantFrom(0, 59, 60),
    client: fc.constantFrom('', 'app-1'),
    actors: fc.constantFrom<string[]>([], ['demo/mailer']),
  }),
} satisfies { [Name in keyof Context]?: fc.Arbitrary<Context[Name]> }

const whoAndWhat = fc
  .record({
    principal: fc.constantFrom<RequestParts['principal']>(
      {},
      {},
      {},
      { groups: [] },
      { id: 'demo/mailer', groups: ['mailers', 'analysts'] },
      { id: 'other/analyst', namespace: 'other' },
      { type: 'user', id: 'olga', namespace: null, groups: ['owner'] },
      { type: 'user', id: 'uri', namespace: 'demo', groups: ['owner', 'demo/people'] },
    ),
    target: fc.oneof<fc.Arbitrary<RequestParts>[]>(
      leadsArguments.map((args) => ({ resource: {}, arguments: args })),
      leadsArguments.map((args) => ({ resource: {}, arguments: args })),
      fc.constant({ resource: { id: 'demo/leads-drop' }, arguments: { id: '1' } }),
      mailArguments.map((args) => ({ resource: { id: 'demo/mail-send', service: 'mail' }, arguments: args })),
      fc.constant({
        action: 'manage' as const,
        resource: { type: 'Namespace' as const, id: 'demo', service: null },
        arguments: {},
      }),
    ),
  })
  .map(({ principal = {}, target }): RequestParts => ({ ...target, principal }))

/** One random request about `demoVocabulary`. */
export const randomRequest: fc.Arbitrary<RequestParts> = fc
  .tuple(whoAndWhat, fc.record(contextParts))
  .map(([parts, context]) => ({ ...parts, context }))

/** Other arguments (for the tools that have them), or one circumstance. */
const change: fc.Arbitrary<(before: RequestParts) => RequestParts> = fc.oneof(
  fc.tuple(leadsArguments, mailArguments).map(([leads, mail]) => (before: RequestParts) => {
    if (before.resource?.id === 'demo/mail-send') return { ...before, arguments: mail }
    return before.resource?.id === undefined ? { ...before, arguments: leads } : before
  }),
  ...Object.entries(contextParts).map(([name, part]) =>
    (part as fc.Arbitrary<unknown>).map((value) => (before: RequestParts) => ({
      ...before,
      context: { ...before.context, [name]: value },
    })),
  ),
)

/** Random requests each of which differs from the one before in one thing, as a busy caller's do. */
export const requestsInARow: fc.Arbitrary<RequestParts[]> = fc
  .tuple(randomRequest, fc.array(change, { minLength: 2, maxLength: 7 }))
  .map(([first, changes]) => {
    const row = [first]
    for (const next of changes) row.push(next(row.at(-1) ?? first))
    return row
  })
