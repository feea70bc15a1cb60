import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

const files = {
  'namespace.yaml': 'namespace: post\nagents:\n  - name: helper\n    groups: [helpers]\n',
  'services/mail/send.py':
    'def send(to: list[str], text: str, cc: str | None = None) -> int:\n    """Counts recipients."""\n    return len(to)\n',
  'policies/facts.yaml': `facts:
  mail-send:
    recipients:
      extract: email-recipients
      from: [to, cc]
    size:
      extract: count
      of: bytes
      from: text
`,
  'policies/team.rules.yaml': `rules:
  - id: helpers-write
    allow: group helpers
    tools: service mail
  - id: inside-only
    deny: anyone
    tools: mail-send
    unless: '["example.com"].containsAll(facts.recipients.domains)'
    reason: Mail goes to people of the company only.
`,
}

let test: TestApp
let key: string
beforeAll(async () => {
  test = await startTestApp()
  await test.apply('post', files)
  key = await test.key('post', 'helper')
})
afterAll(() => test.close())

/** What the record of a call says, as people read it. */
async function why(call: string): Promise<string> {
  const { text } = await test.manage('post', 'audit.why', { namespace: 'post', call })
  return String(text)
}

describe('facts of calls', () => {
  it('allow a call whose recipients are inside', async () => {
    const sent = { to: ['Ann <ANN@example.com>'], cc: 'bob@example.com', text: 'Hello' }
    const { message } = await test.call(key, 'post', 'mail-send', sent)
    expect(message.result).toMatchObject({ structuredContent: { result: 1 } })
  })

  it('refuse one that goes outside, by the rule that reads them, and say in the record on which facts', async () => {
    const sent = { to: ['ann@example.com'], cc: 'secret@exаmple.com', text: 'Hello' }
    const { text, isError, call } = toolResult((await test.call(key, 'post', 'mail-send', sent)).message)
    expect(isError).toBe(true)
    expect(text).toContain('Mail goes to people of the company only.')
    const page = await why(call)
    expect(page).toContain('fact recipients = {"count":2,"domains":["example.com","xn--exmple-4nf.com"]}')
    expect(page).toContain('fact size = 5')
    const { records } = await test.manage('post', 'audit.tail', { namespace: 'post' })
    const [decided] = (records as JsonObject[]).filter((record) => record.call === call)
    expect(JSON.stringify(decided)).toContain('"extractor_hash":"sha256:')
    expect(JSON.stringify(decided)).not.toContain('secret')
  })

  it('refuse one that mail software could read in two ways, whatever it may be', async () => {
    const sent = { to: ['"bob@evil.example"@example.com'], text: 'Hello' }
    const { isError, call } = toolResult((await test.call(key, 'post', 'mail-send', sent)).message)
    expect(isError).toBe(true)
    expect(await why(call)).toContain(
      'The fact "recipients" cannot be told: the argument "to" holds a quoted part that mail software reads differently.',
    )
  })
})

describe('trying facts', () => {
  it('shows what a call gives, and says what cannot be told without what it holds', async () => {
    const ask = (args: JsonObject) =>
      test.manage('post', 'policy.facts', { namespace: 'post', tool: 'mail-send', arguments: args })
    expect(await ask({ to: ['Ann <ann@example.com>'], text: 'é' })).toMatchObject({
      ok: true,
      facts: [
        { name: 'recipients', value: { count: 1, addresses: ['ann@example.com'], domains: ['example.com'] } },
        { name: 'size', value: 2, problem: null },
      ],
      spend: null,
    })
    const bad = await ask({ to: ['secret@example.com(x)'] })
    expect(bad.facts).toMatchObject([
      {
        value: null,
        problem: 'The fact "recipients" cannot be told: the argument "to" holds an address with a comment.',
      },
      { value: 0 },
    ])
    expect(JSON.stringify(bad)).not.toContain('secret')
  })

  it('takes another file of facts, and tells its mistakes', async () => {
    const text = 'facts: { mail-send: { lines: { extract: count, of: characters, from: txt } } }'
    const ask = (file: string) =>
      test.manage('post', 'policy.facts', {
        namespace: 'post',
        tool: 'mail-send',
        arguments: { text: 'abc' },
        files: [{ path: 'facts.yaml', text: file }],
      })
    await expect(ask(text)).rejects.toThrow('did you mean \\"text\\"?')
    expect((await ask(text.replace('txt', 'text'))).facts).toMatchObject([{ name: 'lines', value: 3 }])
  })

  it('is a part of the cases of a policy: facts that must come out, and calls that cannot be decided', async () => {
    const call = { agent: 'helper', tool: 'mail-send' }
    const inside = {
      ...call,
      name: 'inside',
      args: { to: ['b@example.com', 'a@example.com'], text: '' },
      expect: 'allow',
    }
    const twice = { ...call, name: 'twice', args: { to: ['a@b@example.com'], text: '' }, expect: 'deny' }
    const error = 'The fact "recipients" cannot be told: the argument "to" holds an address with more than one "@".'
    const { results } = await test.manage('post', 'policy.test', {
      namespace: 'post',
      cases: [
        { ...inside, facts: { recipients: { addresses: ['b@example.com', 'a@example.com'] }, size: 0 } },
        { ...inside, facts: { recipients: { count: 3 }, sise: 0 } },
        { ...twice, error },
        { ...twice },
        { ...inside, error },
      ],
    })
    expect((results as JsonObject[]).map(({ problems }) => problems)).toEqual([
      [],
      [
        expect.stringMatching(/^expected the fact recipients to be \{"count":3\}, got \{"addresses"/),
        'expected the fact sise, there is none',
      ],
      [],
      [`could not be decided: ${error}`],
      [`expected that it cannot be decided: "${error}"`],
    ])
  })
})
