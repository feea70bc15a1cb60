import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { mcpworks } from '../support/server-process.ts'

const canary = 'canary-0815'
const send = toolEntry('send', () => textOutcome('sent'), 'demo', {
  type: 'object',
  properties: { to: { type: 'string' }, size: { type: 'integer' } },
  required: ['to'],
})
const pay = toolEntry('pay', () => textOutcome('paid'))

const people = `namespace: demo
agents:
  - { name: clerk, groups: [clerks] }
  - { name: guest, groups: [] }
  - { name: payer, groups: [] }
`
const permits = `@id("clerks") permit (principal in AgentGroup::"demo/clerks", action == Action::"call", resource == Tool::"demo/send")
when { context.args has size && context.args.size <= 25 };
@id("payers") permit (principal == Agent::"demo/payer", action == Action::"call", resource == Tool::"demo/pay");`
const rules = `${permits}
@id("home") @reason("Letters stay at home.") @remedy("Write to somebody at home.")
forbid (principal, action == Action::"call", resource == Tool::"demo/send") when { context.args.to == "abroad" };
@id("asks") @remedy("approval")
forbid (principal, action == Action::"call", resource == Tool::"demo/pay") when { context.door == "tool" } unless { context.approved };`

let app: TestApp
const keys = new Map<string, string>()
beforeAll(async () => {
  app = await startTestApp({ entries: [send, pay] })
  await app.apply('demo', { 'namespace.yaml': people, 'policies/a.cedar': rules })
  for (const agent of ['clerk', 'guest', 'payer']) keys.set(agent, await app.key('demo', agent))
})
afterAll(() => app.close())

async function called(agent: string, tool: string, args: JsonObject): Promise<string> {
  await app.call(keys.get(agent) ?? '', 'demo', tool, args)
  const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'decision', limit: 1 })
  const [record] = Array.isArray(records) ? records.filter(isJsonObject) : []
  return String(record?.call)
}

const whyNot = (call: string): Promise<JsonObject> => app.manage('demo', 'audit.why-not', { namespace: 'demo', call })

describe('why not', () => {
  it('tells the rule that forbids a call, its condition and what would change it, and nothing that the call held', async () => {
    const answer = await whyNot(await called('clerk', 'send', { to: 'abroad', size: 7, text: canary }))
    expect(answer).toMatchObject({
      refused: true,
      basis: 'forbid',
      rules: [{ id: 'a.cedar#home', reason: 'Letters stay at home.', conditions: [{ looksAt: ['args.to'] }] }],
      missing: [],
      today: { effect: 'deny', basis: 'forbid', rules: ['a.cedar#home'] },
    })
    expect(answer.text).toContain('because the argument to is "abroad"  [context.args.to == "abroad"]')
    expect(answer.changes).toEqual([
      'What the author of a.cedar#home says: Write to somebody at home.',
      'A call of which one of these is not so: the argument to is "abroad" (a.cedar#home).',
    ])
    expect(JSON.stringify(answer)).not.toContain(canary)
  })

  it('tells the permit that came closest, and the condition that was not so', async () => {
    const call = await called('clerk', 'send', { to: 'home', size: 4711 })
    const answer = await whyNot(call)
    expect(answer).toMatchObject({ basis: 'default-deny', nearMisses: [{ policyId: 'a.cedar#clerks' }] })
    expect(answer.changes).toEqual([expect.stringMatching(/^A call of which this is so: .*size is at most 25/)])
    expect(JSON.stringify(answer)).not.toContain('4711')
    const cli = await mcpworks(['--data-directory', app.dataDirectory, 'why', 'not', call, '-n', 'demo'])
    expect([cli.code, cli.stdout.trimEnd()]).toEqual([0, String(answer.text).trimEnd()])
  })

  it('tells the permits of others where none is for the caller', async () => {
    const answer = await whyNot(await called('payer', 'send', { to: 'home', size: 1 }))
    expect(answer.text).toMatch(/there is no such thing, or the caller may not know of it/)
    const guest = await whyNot(await called('guest', 'nothing-such', {}))
    expect(guest).toMatchObject({ basis: 'default-deny', today: null })
    expect(guest.changes).toEqual([expect.stringContaining('A tool of that name')])
  })

  it('tells that a person can approve it', async () => {
    const answer = await whyNot(await called('payer', 'pay', {}))
    expect(answer).toMatchObject({ basis: 'forbid', rules: [{ remedy: 'approval' }] })
    expect(answer.changes).toEqual(
      expect.arrayContaining([expect.stringMatching(/^A person's approval: request \S+ was made/)]),
    )
  })

  it('tells where arguments do not fit, by place', async () => {
    const answer = await whyNot(await called('clerk', 'send', { to: 5, size: canary }))
    expect(answer).toMatchObject({ basis: 'error', changes: [expect.stringMatching(/fit the schema: .*\/to: /)] })
    expect(JSON.stringify(answer)).not.toContain(canary)
  })

  it('tells what the policies of today would say of the same call', async () => {
    const call = await called('clerk', 'send', { to: 'abroad', size: 7 })
    await app.apply('demo', { 'namespace.yaml': people, 'policies/a.cedar': permits })
    const answer = await whyNot(call)
    expect(answer).toMatchObject({
      basis: 'forbid',
      rules: [{ id: 'a.cedar#home', conditions: [{}] }],
      today: { effect: 'allow', rules: ['a.cedar#clerks'] },
    })
    expect(answer.text).toContain('the policies of today would allow it, by a.cedar#clerks')
    const allowed = await whyNot(await called('clerk', 'send', { to: 'abroad', size: 7 }))
    expect(allowed).toMatchObject({ refused: false, changes: [] })
  })

  it('knows no call that there was not', async () => {
    await expect(whyNot('00000000-0000-7000-8000-000000000000')).rejects.toThrow('has no record of call')
  })
})
