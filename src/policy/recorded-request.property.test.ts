import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JsonObject } from '../kernel/index.ts'
import { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
import type { PolicyRequest } from './decision.ts'
import { requestFromRecord } from './recorded-request.ts'

const name = fc.constantFrom('one', 'two', 'three')
const words = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 3 })
const whole = fc.nat(1_000_000)
const figures = fc.record({
  callsMinute: whole,
  callsDay: whole,
  bytesOutDay: whole,
  spendDay: whole,
  running: whole,
})

/** Every circumstance that there is: one that is added later does not compile until it is added here. */
const context: fc.Arbitrary<Required<PolicyRequest['context']>> = fc.record({
  authentication: fc.record<Required<PolicyRequest['context']['authentication']>>({
    method: fc.string(),
    senderConstrained: fc.boolean(),
    ageSeconds: whole,
    binding: fc.constantFrom('none', 'dpop', 'mtls'),
    issuer: fc.webUrl(),
    client: fc.string(),
    actors: words,
  }),
  door: fc.constantFrom('tool', 'code', 'schedule', 'management', 'console'),
  operation: fc.string(),
  labels: words,
  requester: fc.record({ id: fc.string(), owner: fc.string(), own: fc.boolean(), self: fc.boolean() }),
  approved: fc.boolean(),
  usage: fc.record({ agent: figures, tool: figures }),
  timeMs: fc.nat(4_000_000_000_000),
  address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('', '::ffff:10.0.0.1', 'fe80::1%eth0')),
})

const agent = fc.record({
  type: fc.constant('agent' as const),
  id: name.map((own) => `demo/${own}`),
  namespace: fc.constant('demo'),
  groups: fc.uniqueArray(fc.constantFrom('readers', 'writers', 'demo/others'), { maxLength: 3 }),
})
const user = fc.record({
  type: fc.constant('user' as const),
  id: name,
  namespace: fc.constantFrom(null, 'demo'),
  groups: fc.uniqueArray(fc.constantFrom('owner', 'viewer', 'demo/auditor', 'demo/crew'), { maxLength: 3 }),
})

const about: fc.Arbitrary<Pick<PolicyRequest, 'action' | 'resource'>> = fc.constantFrom(
  { action: 'call', resource: { type: 'Tool', id: 'demo/mail-send', namespace: 'demo', service: 'mail' } },
  { action: 'read', resource: { type: 'Resource', id: 'demo/file:///a/b', namespace: 'demo', service: 'files' } },
  { action: 'prompt', resource: { type: 'Prompt', id: 'demo/greet', namespace: 'demo', service: null } },
  { action: 'manage', resource: { type: 'Namespace', id: 'demo', namespace: 'demo', service: null } },
  { action: 'approve', resource: { type: 'Tool', id: 'demo/gone', namespace: 'demo', service: 'mail' } },
  { action: 'audit', resource: { type: 'Namespace', id: 'demo', namespace: 'demo', service: null } },
)

/** Only a decision on a call that waits has one whose call it is. */
function circumstancesOf(action: string, circumstances: Required<PolicyRequest['context']>): PolicyRequest['context'] {
  const { requester, ...others } = circumstances
  return action === 'approve' ? { ...others, requester } : others
}

const args = fc.record({
  count: fc.integer(),
  to: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
  share: fc.constantFrom(0.5, 1.25, 3),
}) as fc.Arbitrary<JsonObject>

const vocabulary = {
  namespace: 'demo',
  tools: [
    {
      name: 'mail-send',
      service: 'mail',
      inputSchema: {
        type: 'object',
        properties: {
          count: { type: 'integer' },
          to: { type: 'array', items: { type: 'string' } },
          share: { type: 'number' },
        },
      },
    },
  ],
}

it('gives back a request that the engine was asked, so that it is decided alike from the same input', () => {
  const engine = createCedarPolicyEngine()
  const policies = `
    permit (principal is Agent, action == Action::"call", resource) when { context.args has count && context.args.count > 0 };
    forbid (principal in AgentGroup::"demo/others", action, resource) when { context.hour < 12 };
    permit (principal in UserGroup::"demo/crew", action, resource) unless { context.usage.agent.running > 500000 };
    permit (principal is User, action == Action::"approve", resource) when { context.requester.own };`
  expect(engine.install([{ file: 'a.cedar', text: policies }], vocabulary)).toMatchObject({ ok: true })
  fc.assert(
    fc.property(fc.oneof(agent, user), about, args, context, (principal, what, given, circumstances) => {
      const request: PolicyRequest = {
        principal,
        ...what,
        arguments: what.action === 'call' ? given : {},
        context: circumstancesOf(what.action, circumstances),
      }
      const decided = engine.decide(request)
      const again = requestFromRecord(JSON.parse(decided.engineInput) as JsonObject, request.arguments)
      if (!again.ok) throw new Error(again.fault)
      expect({ ...engine.decide(again.request), durationUs: 0 }).toEqual({ ...decided, durationUs: 0 })
    }),
    { numRuns: 300 },
  )
})

it('refuses what no engine wrote', () => {
  expect(requestFromRecord({ action: { id: 'call' } }, {})).toEqual({
    ok: false,
    fault: 'The recorded input of the engine is not of a form known here.',
  })
})
