import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../test/support/policy-request.ts'
import { createCedarPolicyEngine } from './create-cedar-policy-engine.ts'
import type { Explanation } from './policy-engine.ts'

function explain(text: string, parts: Parameters<typeof policyRequest>[0] = {}): Explanation {
  const engine = createCedarPolicyEngine({ monotonicMs: () => 0 })
  const installed = engine.install([{ file: 'p.cedar', text }], demoVocabulary)
  expect(installed).toMatchObject({ ok: true })
  return engine.explain(policyRequest(parts))
}

const tool = 'Tool::"demo/leads-top"'

describe('explaining a decision', () => {
  it('says of a default deny which permits came closest, every condition that failed, and what each looks at', () => {
    const { nearMisses } = explain(
      `@id("far") permit (principal, action == Action::"call", resource == ${tool})
       when { context.args.limit < 3 && context.door == "code" && context.hour < 25 };
       @id("near") permit (principal, action == Action::"call", resource == ${tool})
       when { context.args.limit < 3 } unless { context.labels.contains("untrusted") };`,
      { arguments: { query: 'a canary', limit: 5 } },
    )
    expect(nearMisses).toEqual([
      {
        policyId: 'p.cedar#near',
        failedCondition: 'context.args.limit < 3',
        failed: [
          {
            condition: 'context.args.limit < 3',
            words: 'the argument limit is less than 3',
            looksAt: ['args.limit'],
            evaluated: true,
          },
        ],
        conditions: 2,
      },
      expect.objectContaining({ policyId: 'p.cedar#far', conditions: 3 }),
    ])
    expect(nearMisses[1]?.failed.map(({ words }) => words)).toEqual([
      'the argument limit is less than 3',
      'the door is "code"',
    ])
    expect(JSON.stringify(nearMisses)).not.toContain('canary')
  })

  it('tells what could not be evaluated from what was false', () => {
    const { nearMisses, decision } = explain(
      `permit (principal, action == Action::"call", resource == ${tool}) when { context.args.limit + 9223372036854775807 > 0 };`,
      { arguments: { query: 'x', limit: 5 } },
    )
    expect(decision.basis).toBe('error')
    expect(nearMisses[0]?.failed).toEqual([expect.objectContaining({ evaluated: false, looksAt: ['args.limit'] })])
  })

  it('says what a forbid asks for, in words', () => {
    const { because, nearMisses } = explain(
      `permit (principal, action, resource);
       @id("no-bulk") forbid (principal, action == Action::"call", resource == ${tool}) when { context.args.limit > 3 } unless { context.approved };`,
      { arguments: { query: 'x', limit: 5 } },
    )
    expect(nearMisses).toEqual([])
    expect(because).toEqual([
      {
        policyId: 'p.cedar#no-bulk',
        conditions: [
          expect.objectContaining({ words: 'the argument limit is more than 3' }),
          expect.objectContaining({ words: 'no person approved exactly this call', looksAt: ['approved'] }),
        ],
      },
    ])
  })

  it('names permits that are for others, and those about other things; those of people are not close to an agent', () => {
    const { nearMisses, elsewhere, decision } = explain(
      `@id("others") permit (principal in AgentGroup::"demo/mailers", action == Action::"call", resource == ${tool});
       @id("every") permit (principal, action == Action::"call", resource in Service::"demo/mail");
       @id("other-tool") permit (principal == Agent::"demo/analyst", action == Action::"call", resource in Service::"demo/mail");
       @id("read") permit (principal, action == Action::"read", resource);
       @id("people") permit (principal in Role::"viewer", action, resource);`,
    )
    expect(decision.basis).toBe('default-deny')
    expect(nearMisses).toEqual([])
    expect(elsewhere).toEqual([
      { policyId: 'p.cedar#others', words: 'it is for the group demo/mailers, and demo/analyst is not' },
      { policyId: 'p.cedar#other-tool', words: 'it is about the service demo/mail, and demo/leads-top is not' },
    ])
  })
})
