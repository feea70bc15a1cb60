import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../../test/support/policy-request.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'
import type { PolicyProblem } from '../policy-engine.ts'

const factsYaml = `facts:
  mail-send:
    recipients:
      extract: email-recipients
      from: to
`
const insideOnly = `@id("inside") permit (principal, action == Action::"call", resource == Tool::"demo/mail-send")
when { ["example.com"].containsAll(context.facts.recipients.domains) && context.facts.recipients.count <= 2 };`

function sources(cedar: string, facts = factsYaml) {
  return [
    { file: 'facts.yaml', text: facts },
    { file: 'p.cedar', text: cedar },
  ]
}

function engineWith(cedar: string, facts?: string) {
  const engine = createCedarPolicyEngine()
  const check = engine.install(sources(cedar, facts), demoVocabulary)
  expect(check.problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return engine
}

const mail = (args: JsonObject) =>
  policyRequest({
    resource: { id: 'demo/mail-send', service: 'mail' },
    arguments: { amount: 1, retries: 1, ...args },
  })

/** `line:column message (hint)` of every error. */
function mistakes(cedar: string, facts?: string): string[] {
  const { problems } = createCedarPolicyEngine().check(sources(cedar, facts), demoVocabulary)
  const told = ({ file, line, column, message, hint }: PolicyProblem): string =>
    `${file} ${line}:${column} ${message}${hint === null ? '' : ` (${hint})`}`
  return problems.filter(({ severity }) => severity === 'error').map(told)
}

describe('facts in policies', () => {
  it('decide calls by what the arguments mean', () => {
    const engine = engineWith(insideOnly)
    expect(engine.decide(mail({ to: ['Ann <ANN@example.com>'] })).effect).toBe('allow')
    expect(engine.decide(mail({ to: ['ann@example.com', 'b@evil.example'] }))).toMatchObject({
      effect: 'deny',
      basis: 'default-deny',
    })
    // One address three times is one element of a set, and three recipients.
    expect(engine.decide(mail({ to: Array(3).fill('ann@example.com') as string[] })).effect).toBe('deny')
    expect(engine.decide(mail({ to: ['ann@exаmple.com'] })).effect).toBe('deny')
  })

  it('deny where they cannot be told and a policy in scope reads them, naming fact and argument but no value', () => {
    const decision = engineWith(insideOnly).decide(mail({ to: ['secret@example.com@evil.example'] }))
    expect(decision).toMatchObject({ effect: 'deny', basis: 'error', derived: null, determining: [] })
    expect(decision.errors).toEqual([
      {
        policyId: null,
        message: 'The fact "recipients" cannot be told: the argument "to" holds an address with more than one "@".',
      },
    ])
    expect(JSON.stringify(decision)).not.toContain('secret')
  })

  it('deny so under a forbid too, which would not have applied without its fact', () => {
    const engine = engineWith(`permit (principal, action, resource == Tool::"demo/mail-send");
      forbid (principal, action == Action::"call", resource)
      when { context.facts has recipients && context.facts.recipients.domains.contains("evil.example") };`)
    expect(engine.decide(mail({ to: ['a@example.com'] })).effect).toBe('allow')
    expect(engine.decide(mail({ to: ['a@evil.example'] })).basis).toBe('forbid')
    expect(engine.decide(mail({ to: ['a(x)@evil.example'] })).basis).toBe('error')
  })

  it('do not deny where nothing in scope reads them, and say that they could not be told', () => {
    const engine = engineWith('permit (principal, action, resource == Tool::"demo/mail-send");')
    expect(engine.decide(mail({ to: ['nobody'] }))).toMatchObject({
      effect: 'allow',
      derived: { facts: {}, untold: ['recipients'] },
    })
  })

  it('show records what may be open, name their extractors, and leave the addresses in the sealed input', () => {
    const engine = engineWith(insideOnly)
    const { derived, engineInput } = engine.decide(mail({ to: ['ann@example.com'] }))
    expect(derived).toEqual({
      extractorHash: expect.stringMatching(/^sha256:/) as string,
      facts: { recipients: { count: 1, domains: ['example.com'] } },
      untold: [],
    })
    expect((JSON.parse(engineInput) as { context: JsonObject }).context.facts).toEqual({
      recipients: { addresses: ['ann@example.com'], count: 1, domains: ['example.com'] },
    })
    const dropped = engineWith(insideOnly, `${factsYaml}      subaddress: drop\n`)
    expect(dropped.decide(mail({ to: ['ann@example.com'] })).derived?.extractorHash).not.toBe(derived?.extractorHash)
  })

  it('are empty where their arguments are not there, and there are none where nothing is bound', () => {
    const engine = engineWith(
      'permit (principal, action == Action::"call", resource) when { context.facts has tags && context.facts.tags == 0 };',
      'facts: { leads-top: { tags: { extract: count, of: items, from: tags } } }',
    )
    expect(engine.decide(policyRequest()).effect).toBe('allow')
    expect(engine.decide(policyRequest({ arguments: { query: 'x', limit: 1, tags: ['a'] } })).effect).toBe('deny')
    expect(engine.decide(mail({ to: [] }))).toMatchObject({ effect: 'deny', basis: 'default-deny', derived: null })
  })

  it('are a part of the policy set', () => {
    const engine = engineWith(insideOnly)
    const before = engine.policySetHash('demo')
    engine.install(sources(insideOnly, `${factsYaml}# a word\n`), demoVocabulary)
    expect(engine.policySetHash('demo')).not.toBe(before)
  })

  it('deny every call of a tool whose arguments they no longer fit, and of no other', () => {
    const engine = createCedarPolicyEngine()
    const renamed = demoVocabulary.tools.map((tool) =>
      tool.name === 'mail-send'
        ? { ...tool, inputSchema: { type: 'object', properties: { receivers: { type: 'string' } } } }
        : tool,
    )
    const forbid = `permit (principal, action, resource);
      forbid (principal, action == Action::"call", resource)
      when { context.facts has recipients && context.facts.recipients.count > 1 };`
    const both = `${factsYaml}  leads-top: { recipients: { extract: email-recipients, from: query } }\n`
    const check = engine.install(sources(forbid, both), { ...demoVocabulary, tools: renamed }, 'deny-affected')
    expect(check.ok).toBe(true)
    expect(engine.decide(mail({}))).toMatchObject({
      effect: 'deny',
      basis: 'error',
      errors: [{ policyId: 'facts.yaml#mail-send.recipients' }],
    })
    expect(engine.decide(policyRequest({ arguments: { query: 'a@example.com', limit: 1 } })).effect).toBe('allow')
  })
})

describe('mistakes about facts, told when policies are written', () => {
  const permit = 'permit (principal, action, resource == Tool::"demo/mail-send");'
  it.each<[string, string, string | undefined, string[]]>([
    [
      'a misspelt fact',
      `permit (principal, action == Action::"call", resource == Tool::"demo/mail-send")\nwhen { context.facts.recipient.count == 1 };`,
      undefined,
      ['p.cedar 2:22 no tool in the scope of this policy has a fact "recipient" (did you mean "recipients"?)'],
    ],
    [
      'a fact of another tool',
      `permit (principal, action == Action::"call", resource == Tool::"demo/leads-drop")\nwhen { context.facts.recipients.count == 1 };`,
      undefined,
      ['p.cedar 2:22 no tool in the scope of this policy has a fact "recipients" (bind it to a tool in facts.yaml)'],
    ],
    [
      'a misspelt part of a fact',
      `permit (principal, action == Action::"call", resource == Tool::"demo/mail-send")\nwhen { context.facts.recipients.domain.isEmpty() };`,
      undefined,
      [expect.stringMatching(/^p\.cedar 2:8 attribute `facts\.recipients\.domain` .*not found/) as string],
    ],
    [
      'a misspelt tool',
      permit,
      factsYaml.replace('mail-send', 'mail-sent'),
      ['facts.yaml 2:3 there is no tool "mail-sent" to bind a fact to (did you mean "mail-send"?)'],
    ],
    [
      'a misspelt argument',
      permit,
      factsYaml.replace('from: to', 'from: too'),
      ['facts.yaml 5:7 the tool "mail-send" has no argument "too" (did you mean "to"?)'],
    ],
    [
      'an argument that cannot be read so',
      permit,
      factsYaml.replace('from: to', 'from: [to, amount]'),
      ['facts.yaml 5:18 email-recipients cannot read the argument "amount": it is a number'],
    ],
    [
      'a misspelt extractor',
      permit,
      factsYaml.replace('email-recipients', 'email-recipient'),
      ['facts.yaml 4:7 there is no such extractor (did you mean "email-recipients"?)'],
    ],
    [
      'a misspelt parameter',
      permit,
      `${factsYaml}      subadress: keep\n`,
      ['facts.yaml 6:7 unknown key "subadress" (did you mean "subaddress"?)'],
    ],
    ['a bad parameter', permit, `${factsYaml}      subaddress: no\n`, ['facts.yaml 6:7 subaddress is keep or drop']],
    ['a fact twice', permit, `${factsYaml}    recipients: {}\n`, ['facts.yaml 6:5 "recipients" is given twice']],
    ['an alias', permit, 'facts: &a\n  mail-send: *a\n', [expect.stringMatching(/^facts\.yaml [12]:\d+ /) as string]],
    [
      'a word that Cedar keeps',
      permit,
      factsYaml.replace('recipients:', 'in:'),
      [expect.stringMatching(/^facts\.yaml 3:5 the name of a fact/) as string],
    ],
    [
      'a spend that is no money',
      permit,
      `${factsYaml}      spend: true\nspend: { currency: EUR }\n`,
      ['facts.yaml 6:7 email-recipients gives no amount of money'],
    ],
    ['no facts at all', permit, 'fact: {}', [expect.stringMatching(/^facts\.yaml 1:1 /) as string]],
  ])('%s', (_, cedar, facts, expected) => {
    const found = mistakes(cedar, facts)
    expect(found.slice(0, expected.length)).toEqual(expected)
  })
})
