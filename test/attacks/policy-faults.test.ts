import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isAuthorized, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { createCedarPolicyEngine, type PolicyEngine, type PolicyVocabulary } from '../../src/policy/index.ts'
import { demoVocabulary, policyRequest } from '../support/policy-request.ts'

/**
 * Threat category "authorization" (design/threats.md). The faults of Cedar, and of how it could be used, that
 * design/decision-record.md lists: each with the tests that hold it off.
 */
const root = resolve(import.meta.dirname, '../..')

/** By the first words of the fault on the page: tests as file and title. */
const faults: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'Cedar **skips a forbid whose condition errors**': [
    ['policy-failing-forbid', 'denies the call and says which policy failed, without the values'],
    ['policy-failing-forbid', 'is allowed by Cedar itself, which skips the forbid: the control'],
    ['policy-hostile-arguments', 'denies nesting that Cedar cannot read and judges the next call as before'],
    ['policy-hostile-arguments', 'makes stock Cedar throw: the control'],
  ],
  'A tool argument such as': [
    ['policy-hostile-arguments', 'denies %s, even in an argument that no policy sees'],
    ['policy-hostile-arguments', 'makes Cedar without a schema trust the caller about who owns what: the control'],
  ],
  'Cedar has no floats, null, regular expressions or quantifiers': [
    ['policy-hostile-arguments', 'denies a number between two decimals where a policy reads it'],
    ['policy-faults', 'decides on null as on what is not there, and denies it where something must be'],
    ['policy-faults', 'sees every recipient that a pattern does not'],
  ],
  'The preparse cache has no eviction': [
    ['policy-faults', 'goes by what was put under a name last'],
    ['policy-faults', 'keeps every name for ever: the control'],
  ],
  'A policy with more than about 350 chained operators': [
    ['policy-breaking-texts', 'is refused before Cedar sees it, and the engine goes on: %s'],
    [
      'policy-breaking-texts',
      'takes stock Cedar down for every later call in the process: the control, in which we deny and say that we are broken',
    ],
  ],
  'JavaScript prints integers beyond 2^53': [
    ['policy-hostile-arguments', 'denies integers beyond 2^53 - 1, which readers of JSON take for different numbers'],
  ],
  'A set costs Cedar about 16 us an element': [
    [
      'policy-hostile-arguments',
      'denies a list that would keep Cedar busy for seconds where a policy reads it, and lets it pass where none does',
    ],
  ],
}

describe('the faults that the page lists', () => {
  const page = readFileSync(join(root, 'design/decision-record.md'), 'utf8')
  const [, list = ''] = /Faults to design out[^\n]*\n((?:- [^\n]*\n)+)/.exec(page) ?? []
  const listed = list
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(2))

  it('have tests, each of them', () => {
    expect(listed.length).toBeGreaterThan(5)
    expect(listed.filter((fault) => !Object.keys(faults).some((begin) => fault.startsWith(begin)))).toEqual([])
    expect(Object.keys(faults).filter((begin) => !listed.some((fault) => fault.startsWith(begin)))).toEqual([])
  })

  it.each(Object.values(faults).flat())('%s: %s', (file, title) => {
    const text = readFileSync(join(root, `test/attacks/${file}.test.ts`), 'utf8')
    expect(text).toMatch(new RegExp(`it(?:\\.each\\([\\s\\S]*?\\))?\\(\\s*'${RegExp.escape(title)}'`))
  })
})

const scope = '(principal, action == Action::"call", resource == Tool::"demo/leads-top")'

function engineWith(vocabulary: PolicyVocabulary, ...files: readonly (readonly [string, string])[]): PolicyEngine {
  const engine = createCedarPolicyEngine()
  const sources = files.map(([file, text]) => ({ file, text }))
  expect(engine.install(sources, vocabulary)).toMatchObject({ ok: true })
  return engine
}

describe('an argument that is null', () => {
  const text = `permit ${scope}; forbid ${scope} when { context.args has exact };
    forbid ${scope} when { context.args has filter && context.args.filter has size && context.args.filter.size > 5 };`
  const effectOf = (args: JsonObject): string =>
    engineWith(demoVocabulary, ['p.cedar', text]).decide(policyRequest({ arguments: args })).effect

  it('decides on null as on what is not there, and denies it where something must be', () => {
    const needed = { query: 'x', limit: 5 }
    expect([effectOf(needed), effectOf({ ...needed, exact: true })]).toEqual(['allow', 'deny'])
    expect(effectOf({ ...needed, exact: null })).toBe('allow')
    expect(effectOf({ ...needed, filter: { state: 'NY', size: null } })).toBe('allow')
    expect(effectOf({ ...needed, filter: { state: 'NY', size: 6 } })).toBe('deny')
    expect(effectOf({ query: 'x', limit: null })).toBe('deny')
  })

  it('is something that stock Cedar cannot read at all: the control', () => {
    const answer = isAuthorized({
      principal: { type: 'Agent', id: 'demo/analyst' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 'demo/leads-top' },
      context: { args: { exact: null } },
      policies: { staticPolicies: 'permit (principal, action, resource);' },
      entities: [],
    })
    expect(answer.type).toBe('failure')
  })
})

describe('a mail to somebody outside', () => {
  const vocabulary: PolicyVocabulary = {
    namespace: 'demo',
    tools: [
      {
        name: 'mail-send',
        service: 'mail',
        inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
      },
    ],
  }
  const mail = '(principal, action == Action::"call", resource == Tool::"demo/mail-send")'
  const send = (to: string) => policyRequest({ resource: { id: 'demo/mail-send', service: 'mail' }, arguments: { to } })
  const facts = 'facts:\n  mail-send:\n    recipients: { extract: email-recipients, from: to }\n'
  const byFact = `permit ${mail} when { ["example.com"].containsAll(context.facts.recipients.domains) };`
  const byPattern = `permit ${mail} when { context.args.to like "*@example.com" };`
  const dodges = [
    'eve@evil.example, ann@example.com',
    'eve@evil.example;ann@example.com',
    '<eve@evil.example> ann@example.com',
  ]

  it('sees every recipient that a pattern does not', () => {
    const engine = engineWith(vocabulary, ['p.cedar', byFact], ['facts.yaml', facts])
    expect(engine.decide(send('Ann <ann@example.com>, bo@EXAMPLE.com')).effect).toBe('allow')
    expect(dodges.map((to) => engine.decide(send(to)).effect)).toEqual(['deny', 'deny', 'deny'])
  })

  it('passes where a pattern has to do: the control', () => {
    const engine = engineWith(vocabulary, ['p.cedar', byPattern])
    expect(dodges.map((to) => engine.decide(send(to)).effect)).toEqual(['allow', 'allow', 'allow'])
  })
})

describe("Cedar's cache of parsed policies", () => {
  const ask = (name: string): string => {
    const answer = statefulIsAuthorized({
      principal: { type: 'Agent', id: 'a' },
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: 't' },
      context: {},
      entities: [],
      preparsedPolicySetId: name,
    })
    return answer.type === 'success' ? answer.response.decision : answer.type
  }
  const put = (name: string, effect: string): void => {
    const answer = preparsePolicySet(name, { staticPolicies: `${effect} (principal, action, resource);` })
    expect(answer.type).toBe('success')
  }

  it('goes by what was put under a name last', () => {
    put('faults/one', 'permit')
    expect(ask('faults/one')).toBe('allow')
    put('faults/one', 'forbid')
    expect(ask('faults/one')).toBe('deny')
  })

  it('keeps every name for ever: the control', () => {
    put('faults/first', 'permit')
    for (let count = 0; count < 1000; count += 1) put(`faults/${count}`, 'forbid')
    expect(ask('faults/first')).toBe('allow')
  })
})
