import { describe, expect, it } from 'vitest'
import { demoVocabulary } from '../../../test/support/policy-request.ts'
import { policyCase } from '../../contract/index.ts'
import { createCedarPolicyEngine } from '../../policy/index.ts'
import { testPolicies } from './test-policies.ts'

const text = `
@id("a") @obligation("redact email; limit-rows 50")
permit (principal, action == Action::"call", resource == Tool::"demo/leads-drop");
@id("b") @obligation("limit-rows 25")
permit (principal, action == Action::"call", resource == Tool::"demo/leads-drop");
`

describe('the obligations that a case expects', () => {
  const engine = createCedarPolicyEngine()
  engine.install([{ file: 'a.cedar', text }], demoVocabulary)
  const problems = (obligations: string): readonly string[] => {
    const one = { name: 'x', agent: 'analyst', groups: [], tool: 'leads-drop', args: { id: '1' }, expect: 'allow' }
    const namespace = { name: 'demo', services: new Map([['leads-drop', 'leads']]), groups: new Map(), nowMs: 0 }
    const [result] = testPolicies([policyCase.parse({ ...one, obligations })], namespace, (request) =>
      engine.decide(request),
    )
    return result?.problems ?? ['no result']
  }

  it('are compared with those of all permits together, however either is written', () => {
    expect(problems('limit-rows 25; redact email')).toEqual([])
    expect(problems('redact email;limit-rows 50;limit-rows 25')).toEqual([])
  })

  it('fail the case where something is missing, is too much, or cannot be read', () => {
    const got = 'got "limit-rows 25; redact email; limit-rows 50"'
    expect(problems('redact email')).toEqual([`expected the obligations "redact email", ${got}`])
    expect(problems('')).toEqual([`expected the obligations "", ${got}`])
    expect(problems('redact email, phone; limit-rows 25')).toEqual([expect.stringContaining(got)])
    expect(problems('redcat email')).toEqual([
      'the obligations of the case cannot be read: there is no obligation "redcat"',
    ])
  })
})
