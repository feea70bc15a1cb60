import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { policyCase } from '../../contract/index.ts'
import {
  createCedarPolicyEngine,
  fillTemplate,
  policyTemplates,
  templateExample,
  type PolicySource,
  type PolicyTemplate,
} from '../../policy/index.ts'
import { policySources } from './policy-sources.ts'
import { testPolicies } from './test-policies.ts'

const text = { type: 'string' } as const
const tools = [
  {
    name: 'mail-send',
    service: 'mail',
    inputSchema: {
      type: 'object',
      properties: { to: { type: 'array', items: text }, bcc: text, subject: text },
      required: ['to'],
    },
  },
  {
    name: 'bank-pay',
    service: 'bank',
    inputSchema: { type: 'object', properties: { amount: text, in: text }, required: ['amount', 'in'] },
  },
  { name: 'crm-show', service: 'crm', inputSchema: { type: 'object', properties: { id: text }, required: ['id'] } },
  { name: 'crm-remove', service: 'crm', inputSchema: { type: 'object', properties: { id: text }, required: ['id'] } },
]

/** What is given where a template has no default. */
const given: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'read-only': { who: 'group readers, agent auditor', reads: 'crm-show' },
  'no-writes-after-untrusted-input': { writes: 'mail-send, crm-remove' },
  'recipients-inside': { tools: 'mail-send', from: 'to, bcc', domains: 'acme.example, acme.test' },
  'spend-limit': { tools: 'bank-pay', amount: 'amount', currency: 'EUR', call: '500', day: '2000' },
  approval: { who: 'group support', tools: 'crm-remove' },
}

function fill(template: PolicyTemplate, values = given[template.name] ?? {}, id: string = template.name) {
  return fillTemplate({ template, id, given: values, tools, factsFile: null })
}

/** The file of facts that a template needs, if it needs one. */
const facts = (filled: { facts: PolicySource | null }): PolicySource[] => (filled.facts === null ? [] : [filled.facts])

/** How the cases of a file come out under policies: the problems of each. */
function decided(cases: readonly object[], ...policies: readonly PolicySource[]): string[][] {
  const compiled = policySources('shop', policies)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems))
  const engine = createCedarPolicyEngine()
  const installed = engine.install(compiled.sources, { namespace: 'shop', tools })
  expect(installed.problems).toEqual([])
  const services = new Map(tools.map(({ name, service }) => [name, service]))
  const namespace = { name: 'shop', services, groups: new Map<string, string[]>(), nowMs: 0 }
  return testPolicies(z.array(policyCase).parse(cases), namespace, (request) => engine.decide(request)).map(
    ({ problems }) => [...problems],
  )
}

describe.each(policyTemplates.map((template) => [template.name, template] as const))(
  'the template %s',
  (_, template) => {
    it('compiles without a word of complaint and passes its own cases', () => {
      const filled = fill(template)
      if (!filled.ok) throw new Error(filled.problems.join('\n'))
      expect(filled.caseList.length).toBeGreaterThan(1)
      expect(decided(filled.caseList, filled.rules, ...facts(filled)).flat()).toEqual([])
    })

    it('has cases that fail when a rule always applies, and when it never does', () => {
      const filled = fill(template)
      if (!filled.ok) throw new Error(filled.problems.join('\n'))
      const { file, text: rules } = filled.rules
      const conditions = /^ {4}(?:when|unless|except|remedy): .*$/gm
      expect(rules).toMatch(conditions)
      const always = decided(filled.caseList, { file, text: rules.replaceAll(conditions, '') }, ...facts(filled))
      const never = decided(
        filled.caseList,
        { file, text: rules.replaceAll(conditions, '    when: "[1].contains(2)"') },
        ...facts(filled),
      )
      expect(always.flat()).not.toEqual([])
      expect(never.flat()).not.toEqual([])
    })

    it('shows an example of itself that can be compiled', () => {
      const file = `${template.name}.rules.yaml`
      expect(policySources('shop', [{ file, text: templateExample(template) }])).toMatchObject({ ok: true })
    })

    it('takes another id, so that it can be added twice', () => {
      const filled = fill(template, given[template.name] ?? {}, 'second')
      if (!filled.ok) throw new Error(filled.problems.join('\n'))
      expect(filled.rules.file).toBe('second.rules.yaml')
      expect(filled.rules.text.match(/^ {2}- id: .*$/gm)?.every((line) => line.includes('second'))).toBe(true)
    })
  },
)

it.each([
  ['cents of one currency', { unit: 'minor' }],
  ['a currency that an argument says', { 'currency-argument': 'in' }],
  ['a currency without a minor unit', { currency: 'JPY' }],
])('the template spend-limit counts %s', (_, values) => {
  const template = policyTemplates.find(({ name }) => name === 'spend-limit')
  if (template === undefined) throw new Error('there is no such template')
  const filled = fill(template, { ...given['spend-limit'], ...values })
  if (!filled.ok) throw new Error(filled.problems.join('\n'))
  expect(decided(filled.caseList, filled.rules, ...facts(filled)).flat()).toEqual([])
})

describe('filling a template', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['what is needed', 'read-only', { who: 'group readers' }, '"reads" is needed: The tools that only read.'],
    ['a misspelt parameter', 'rate-limit', { minutes: '5' }, 'did you mean "minute"?'],
    [
      'a tool that is not there',
      'approval',
      { tools: 'crm-remov' },
      'there is no tool crm-remov: did you mean "crm-remove"?',
    ],
    [
      'a service that is not there',
      'approval',
      { tools: 'service crn' },
      'there is no service crn: did you mean "service crm"?',
    ],
    [
      'an argument that is not there',
      'recipients-inside',
      { tools: 'mail-send', from: 'to, bc', domains: 'a.example' },
      'mail-send has no argument "bc": did you mean "bcc"?',
    ],
    [
      'what is no domain',
      'recipients-inside',
      { tools: 'mail-send', from: 'to', domains: '*.acme.example' },
      'write domains in lower case',
    ],
    ['what is no name', 'sender-constrained', { who: 'group a" || true' }, 'cannot be read: write "group NAME"'],
    ['no number', 'rate-limit', { day: '0' }, 'write a whole number above 0'],
    ['hours that end before they begin', 'business-hours', { hours: '18-8' }, 'hours end after they begin'],
    ['a time zone by its name', 'business-hours', { offset: 'CET' }, 'such as +01:00 or -08:00'],
  ])('refuses %s', (_, name, values, message) => {
    const template = policyTemplates.find((one) => one.name === name)
    if (template === undefined) throw new Error(name)
    const filled = fill(template, values)
    expect(filled.ok ? [] : filled.problems.join('\n')).toContain(message)
  })
})
