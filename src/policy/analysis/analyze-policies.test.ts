import { describe, expect, it } from 'vitest'
import { demoVocabulary } from '../../../test/support/policy-request.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'
import type { PolicyAnalysis } from './policy-analysis.ts'

const agent = (name: string, ...groups: string[]) => ({
  type: 'agent' as const,
  id: `demo/${name}`,
  namespace: 'demo',
  groups,
})
const everybody = [agent('analyst', 'analysts'), agent('mailer', 'mailers')]

function analyze(text: string, agents = everybody): PolicyAnalysis {
  const engine = createCedarPolicyEngine({ monotonicMs: () => 0 })
  const installed = engine.install([{ file: 'p.cedar', text }], demoVocabulary)
  if (!installed.ok) throw new Error(JSON.stringify(installed.problems))
  return engine.analyze('demo', agents)
}

const told = (text: string): string[] =>
  analyze(text)
    .findings.filter(({ policyId }) => policyId !== null)
    .map(({ kind, policyId, others }) => [kind, policyId, ...others].join(' '))

const top = 'resource == Tool::"demo/leads-top"'
const call = 'action == Action::"call"'
const anybody = `@id("all") permit (principal, ${call}, ${top});`

describe('analysing policies', () => {
  it.each([
    [
      'a group without agents',
      `@id("g") permit (principal in AgentGroup::"demo/gone", ${call}, ${top});`,
      ['no-subject p.cedar#g'],
    ],
    [
      'an agent that is not there',
      `@id("a") forbid (principal == Agent::"demo/gone", ${call}, ${top});`,
      ['no-subject p.cedar#a'],
    ],
    [
      'a contradiction',
      `@id("c") permit (principal, ${call}, ${top}) when { context.args.limit > 5 && context.args.limit <= 5 };`,
      ['never-true p.cedar#c'],
    ],
    [
      'a contradiction with who is in scope',
      `@id("c") permit (principal == Agent::"demo/mailer", ${call}, ${top}) when { principal in AgentGroup::"demo/analysts" };`,
      ['never-true p.cedar#c'],
    ],
    [
      'a forbid that never applies',
      `@id("f") forbid (principal, ${call}, ${top}) when { context.hour > 23 };`,
      ['never-true p.cedar#f'],
    ],
    [
      'a permit that a forbid of all beats',
      `${anybody} @id("no") forbid (principal, ${call}, resource in Service::"demo/leads");`,
      ['always-overridden p.cedar#all p.cedar#no'],
    ],
    [
      'a permit whose condition is forbidden',
      `@id("p") permit (principal, ${call}, ${top}) when { context.args.limit > 10 }; @id("no") forbid (principal, ${call}, ${top}) when { context.args.limit > 5 };`,
      ['always-overridden p.cedar#p p.cedar#no'],
    ],
    [
      'a forbid that can fail',
      `${anybody} @id("f") forbid (principal, ${call}, ${top}) when { context.args.limit * context.args.limit > 100 };`,
      ['can-fail p.cedar#f'],
    ],
  ])('finds %s', (_what, text, expected) => {
    expect(told(text)).toEqual(expected)
  })

  it.each([
    [
      'a permit with a forbid of a part',
      `${anybody} forbid (principal, ${call}, ${top}) when { context.args.limit > 5 };`,
    ],
    [
      'a permit that one agent of two is forbidden',
      `${anybody} forbid (principal == Agent::"demo/mailer", ${call}, ${top});`,
    ],
    [
      'a permit that asks for an approval',
      `${anybody} forbid (principal, ${call}, ${top}) unless { context.approved };`,
    ],
    [
      'hours',
      `permit (principal, ${call}, ${top}) when { context.hour >= 8 && context.hour < 18 && context.weekday <= 5 };`,
    ],
    [
      'what it does not understand',
      `permit (principal, ${call}, ${top}) when { [context.args.limit, 3].contains(3) };`,
    ],
    [
      'policies about other things than calls',
      'permit (principal in Role::"viewer", action == Action::"audit", resource); permit (principal == Agent::"demo/gone", action == Action::"read", resource);',
    ],
    [
      'a set of several actions',
      `permit (principal == Agent::"demo/gone", action in [Action::"call", Action::"read"], resource);`,
    ],
  ])('says nothing of %s', (_what, text) => {
    expect(told(text)).toEqual([])
  })

  it('finds tools that nobody may call, and agents that may call all', () => {
    const { findings } = analyze(`@id("a") permit (principal == Agent::"demo/analyst", ${call}, resource);`)
    expect(findings.map(({ kind, subject, others }) => [kind, subject, ...others])).toEqual([
      ['agent-of-everything', 'demo/analyst', 'p.cedar#a'],
    ])
    const some = analyze(`permit (principal, ${call}, ${top}) when { context.args.limit < 3 };`)
    expect(some.findings.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['tool-of-nobody', 'demo/leads-drop'],
      ['tool-of-nobody', 'demo/mail-send'],
    ])
  })

  it('takes agents that no policy tells apart as one, so that a thousand of them are no more work', () => {
    const many = Array.from({ length: 1000 }, (_, n) => agent(`bot-${n}`, 'analysts', `team-${n}`))
    const analysis = analyze(`permit (principal in AgentGroup::"demo/analysts", ${call}, resource);`, many)
    expect(analysis.agents).toBe(1000)
    expect(analysis.findings).toEqual([expect.objectContaining({ kind: 'agent-of-everything', subject: 'demo/bot-0' })])
  })

  it('claims nothing of what it did not look at', () => {
    const many = Array.from({ length: 400 }, (_, n) => agent(`bot-${n}`))
    const named = many.map(
      ({ id }) => `forbid (principal == Agent::"${id}", ${call}, resource) when { context.hour > 24 };`,
    )
    const { cutShort, findings } = analyze(`@id("p") permit (principal, ${call}, resource);\n${named.join('\n')}`, many)
    expect(cutShort).toEqual(['p.cedar#p'])
    expect(findings.filter(({ policyId }) => policyId === 'p.cedar#p')).toEqual([])
  })
})
