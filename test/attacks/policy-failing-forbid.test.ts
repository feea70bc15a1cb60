import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import { builtInPolicies, createCedarPolicyEngine, type PolicyEngine } from '../../src/policy/index.ts'
import { demoVocabulary, policyRequest } from '../support/policy-request.ts'

/**
 * Threat category "authorization" (design/threats.md). Cedar leaves out a forbid whose condition fails, so a caller who
 * can make it fail (here by overflowing an integer) would be let through by the permit beside it.
 */
const text = `
@id("mailers") permit (principal, action == Action::"call", resource == Tool::"demo/mail-send");
@id("few-retries") @reason("At most 3 retries.")
forbid (principal, action == Action::"call", resource == Tool::"demo/mail-send") when { context.args.retries * 1048576 > 3145728 };
`

const send = (retries: number) =>
  policyRequest({
    resource: { id: 'demo/mail-send', service: 'mail' },
    arguments: { to: ['a@example.com'], amount: 1, retries },
  })

function engine(): PolicyEngine {
  const created = createCedarPolicyEngine()
  expect(created.install([{ file: 'mail.cedar', text }], demoVocabulary)).toMatchObject({ ok: true, problems: [] })
  return created
}

describe('a forbid that is made to fail', () => {
  const overflowing = 9_007_199_254_740_991

  it('denies the call and says which policy failed, without the values', () => {
    const decision = engine().decide(send(overflowing))
    expect(decision).toMatchObject({ effect: 'deny', basis: 'error' })
    expect(decision.errors).toEqual([
      { policyId: 'mail.cedar#few-retries', message: 'Evaluating the policy overflowed the range of 64-bit integers.' },
    ])
    expect(JSON.stringify(decision.errors)).not.toContain(String(overflowing))
  })

  it('allows the honest call beside it, and forbids the one that the rule is about', () => {
    expect(engine().decide(send(2))).toMatchObject({ effect: 'allow', basis: 'permit', errors: [] })
    expect(engine().decide(send(4))).toMatchObject({
      effect: 'deny',
      basis: 'forbid',
      determining: [{ reason: 'At most 3 retries.' }],
    })
  })

  it('is allowed by Cedar itself, which skips the forbid: the control', () => {
    const { engineInput } = engine().decide(send(overflowing))
    const answer = isAuthorized({
      ...(JSON.parse(engineInput) as Omit<Parameters<typeof isAuthorized>[0], 'policies'>),
      policies: { staticPolicies: builtInPolicies + text },
    })
    expect(answer).toMatchObject({ type: 'success', response: { decision: 'allow', diagnostics: { errors: [{}] } } })
  })
})
