import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ActOutcome } from '../../src/gateway/index.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { toolEntry, type Act } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

/**
 * Threat category "information flow" (design/threats.md): a caller that is allowed a tool without the addresses in its
 * results, or without all of its rows, and a tool that puts them where a policy's author did not think of.
 */
const files = {
  'namespace.yaml':
    'namespace: demo\nagents:\n  - name: ann\n    groups: [support]\n  - name: bob\n    groups: [support, plain]\n  - name: eve\n    groups: [trusted]\n',
  'policies/demo.cedar': `
@id("support-reads") @obligation("redact email, phone; limit-rows 2")
permit (principal in AgentGroup::"demo/support", action == Action::"call", resource in Namespace::"demo");

@id("plain-reads") @obligation("limit-rows 1")
permit (principal in AgentGroup::"demo/plain", action == Action::"call", resource in Namespace::"demo");

@id("trusted-reads")
permit (principal in AgentGroup::"demo/trusted", action == Action::"call", resource in Namespace::"demo");
`,
  'services/crm/service.yaml': 'functions:\n  relay: { calls: [crm-find] }\n',
  'services/crm/find.py': `from typing import TypedDict


class Lead(TypedDict):
    name: str
    email: str
    phone: str


def find() -> list[Lead]:
    """Finds leads."""
    print("ann@example.com is printed")
    return [{"name": "Ann", "email": "ann@example.com", "phone": "+49 151 1234567"}] * 3
`,
  'services/crm/number.py': `from typing import TypedDict


class Number(TypedDict):
    phone: int


def number() -> Number:
    """Finds a number."""
    return {"phone": 491511234567}
`,
  'services/crm/relay.py': `import base64
import json

from mcpworks import call


def relay() -> dict:
    """Tells, encoded, what another tool told it."""
    return {"told": base64.b64encode(json.dumps(call("crm-find", {})).encode()).decode()}
`,
}

const secrets = ['ann@example.com', '+49 151 1234567']
const leads = [1, 2, 3].map((id) => ({ id, name: `Lead ${id}`, email: secrets[0] ?? '', phone: secrets[1] ?? '' }))
const honest: JsonObject = {
  content: [{ type: 'text', text: JSON.stringify({ leads, total: 3 }) }],
  structuredContent: { leads, total: 3 },
}

/** What the tool does when it is called next. */
let act: Act = () => ({ status: 'ok', result: honest })
let app: TestApp
const keys = new Map<string, string>()

beforeAll(async () => {
  app = await startTestApp({ entries: [toolEntry('leads', (...given) => act(...given))] })
  await app.apply('demo', files)
  for (const agent of ['ann', 'bob', 'eve']) keys.set(agent, await app.key('demo', agent))
})
afterAll(async () => await app.close())

async function call(
  agent: string,
  now: Act,
  tool = 'leads',
): Promise<{ result: JsonObject; whole: string; call: string }> {
  act = now
  const { message } = await app.call(keys.get(agent) ?? '', 'demo', tool, {})
  const result = message.result as JsonObject
  return { result, whole: JSON.stringify(message), call: String((result._meta as JsonObject)['mcpworks/call']) }
}

async function records(callId: string): Promise<JsonObject[]> {
  const shown = await app.manage('demo', 'audit.tail', { namespace: 'demo', limit: 1000 })
  return (shown.records as JsonObject[]).map((one) => one.record as JsonObject).filter((one) => one.call === callId)
}

const giving = (result: JsonObject) => (): ActOutcome => ({ status: 'ok', result })
const expectNoSecret = (whole: string): void => {
  for (const secret of secrets) expect(whole).not.toContain(secret)
}

const email = 'ann@example.com'
const structured = (value: JsonObject): JsonObject => ({ content: [], structuredContent: value })
const texts = (...all: string[]): JsonObject => ({ content: all.map((text) => ({ type: 'text', text })) })
const rows = (count: number, from: number): JsonObject[] =>
  Array.from({ length: count }, (_, at) => ({ id: `row-${from + at}` }))

describe('a tool that hides what is redacted', () => {
  it.each<[string, JsonObject]>([
    ['under the name in another case', structured({ 'E-MAIL': email })],
    ['under the name in other forms of its letters', structured({ ｅｍａｉｌ: email })],
    ['under the name with letters of another alphabet', structured({ emаil: email })],
    ['under the name with an invisible character', structured({ 'em\u200bail': email })],
    ['under a longer name', structured({ customer_emails: [email] })],
    ['under another name as well', structured({ email, contact: email })],
    ['in a string that is JSON in JSON', structured({ raw: JSON.stringify({ raw: JSON.stringify({ email }) }) })],
    ['in JSON that is cut off', structured({ raw: JSON.stringify({ email }).slice(0, -2) })],
    ['in a table in a string', structured({ csv: `id,email\n1,${email}` })],
    ['in columns', structured({ columns: ['id', 'email'], rows: [[1, email]] })],
    ['as the name of a member', structured({ email, by: { [email]: 1 } })],
    ['in text beside structured content', { ...texts(`She is at ${email}`), structuredContent: { id: 1 } }],
    ['in text alone', texts(`She is at ${email}`)],
    ['in a text that is one JSON string', texts(JSON.stringify(email))],
    ['in the one wrapped value', { ...texts(email), structuredContent: { result: email } }],
    ['in a file', { content: [{ type: 'resource', resource: { uri: 'x:y', mimeType: 'text/plain', text: email } }] }],
    [
      'in the type of a file',
      { content: [{ type: 'resource', resource: { uri: 'x:y', mimeType: `email=${email}` } }] },
    ],
    ['in the description of a picture', { content: [{ type: 'image', data: '', mimeType: `email=${email}` }] }],
    ['in _meta', { ...structured({ id: 1 }), _meta: { email } }],
    ['in a member that MCP does not know', { ...structured({ id: 1 }), email }],
  ])('%s does not get it to whom it is not for, and to others it does', async (_, result) => {
    expect((await call('ann', giving(result))).whole).not.toContain(email)
    expect((await call('eve', giving(result))).whole).toContain(email)
  })

  it.each<[string, JsonObject]>([
    ['in several lists', structured({ a: rows(2, 0), b: rows(2, 2), c: { d: rows(2, 4) } })],
    ['in lists inside of rows', structured({ pages: [{ rows: rows(3, 0) }, { rows: rows(3, 3) }] })],
    [
      'in an object instead of a list',
      structured({ table: Object.fromEntries(rows(6, 0).map((row, at) => [at, row])) }),
    ],
    ['in strings', structured({ a: JSON.stringify(rows(3, 0)), b: [JSON.stringify(rows(3, 3))] })],
    ['in several texts', texts(JSON.stringify(rows(3, 0)), JSON.stringify(rows(3, 3)))],
    [
      'in text that is not what it repeats',
      { ...texts(JSON.stringify(rows(4, 2))), structuredContent: { a: rows(2, 0) } },
    ],
    [
      'in lines',
      structured({
        lines: rows(6, 0)
          .map(({ id }) => id)
          .join('\n'),
      }),
    ],
    ['in _meta', { ...structured({ a: rows(2, 0) }), _meta: { b: rows(4, 2) } }],
  ])('or rows %s does not get more of them through than there may be', async (_, result) => {
    const count = async (agent: string): Promise<number> =>
      new Set((await call(agent, giving(result))).whole.match(/row-\d/g)).size
    expect(await count('ann')).toBeLessThanOrEqual(2)
    expect(await count('eve')).toBe(6)
  })
})

describe('an agent whose permit redacts and limits', () => {
  it('gets neither the fields nor the rows, and the record says what was done', async () => {
    const { result, whole, call: id } = await call('ann', giving(honest))
    expectNoSecret(whole)
    const left = {
      leads: leads.slice(0, 2).map((lead) => ({ ...lead, email: '[redacted]', phone: '[redacted]' })),
      total: 3,
    }
    expect(result.structuredContent).toEqual(left)
    const [repeated, told] = result.content as JsonObject[]
    expect(JSON.parse(String(repeated?.text))).toEqual(left)
    expect(told?.text).toBe(
      'A policy limits how many rows are given out; there are more. A policy took fields out of this result.',
    )
    const [decision, outcome] = await records(id)
    expect(decision).toMatchObject({ decision: { obligations: ['redact email, phone; limit-rows 2'] } })
    expect(outcome).toMatchObject({
      outcome: {
        status: 'ok',
        obligations: [
          { obligation: 'redact email, phone', fulfilled: true, detail: '4 places by name, 0 by value' },
          { obligation: 'limit-rows 2', fulfilled: true, detail: '2 rows given out, 1 left out' },
        ],
      },
    })
    const why = await app.manage('demo', 'audit.why', { namespace: 'demo', call: id })
    expect(JSON.stringify(why)).toContain('2 rows given out, 1 left out')
    expectNoSecret(JSON.stringify(why))
  })

  it("gets a hosted function's rows without them, in the form that its output schema has", async () => {
    const lead = { name: 'Ann', email: '[redacted]', phone: '[redacted]' }
    const { result, whole } = await call('ann', giving(honest), 'crm-find')
    expectNoSecret(whole)
    expect(result.structuredContent).toEqual({ result: [lead, lead] })
    // What must be there, and must be a number, has no mark.
    const number = await call('ann', giving(honest), 'crm-number')
    expect(number.whole).not.toContain('49151')
    expect(number.result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('output schema') }],
    })
    const { result: all } = await call('eve', giving(honest), 'crm-find')
    expect(all.structuredContent).toMatchObject({ result: [{ email: secrets[0] }, {}, {}] })
  })

  it('gets nothing through code that it lets call the tool: the code itself is not told', async () => {
    const { result } = await call('ann', giving(honest), 'crm-relay')
    const told = (agent: JsonObject): string =>
      Buffer.from(String((agent.structuredContent as JsonObject | undefined)?.told), 'base64').toString('utf8')
    expect(told(result)).toContain('[redacted]')
    expect(told(result)).not.toContain('ann@')
    expect(told((await call('eve', giving(honest), 'crm-relay')).result)).toContain('ann@example.com')
  })

  it('gets the strictest of all its permits', async () => {
    const { result, whole } = await call('bob', giving(honest))
    expectNoSecret(whole)
    expect(result.structuredContent).toMatchObject({ leads: [{ id: 1 }] })
    expect((result.structuredContent as { leads: [] }).leads).toHaveLength(1)
  })

  it('hears none of the tool while it runs, in failures or in questions', async () => {
    const [email = '', phone = ''] = secrets
    const loud = await call('ann', (_invocation, events) => {
      events.log('info', `found ${email}`)
      events.progress(1, 2, `at ${phone}`)
      return { status: 'ok', result: honest }
    })
    expectNoSecret(loud.whole)
    const failing = await call('ann', () => ({
      status: 'tool-error',
      detail: 'the function failed',
      result: { content: [{ type: 'text', text: `KeyError: ${email}` }], isError: true },
    }))
    expectNoSecret(failing.whole)
    expect(failing.result.isError).toBe(true)
    const asking = await call('ann', () => ({
      status: 'input-required',
      inputRequests: { one: { method: 'elicitation/create', params: { message: `Is it ${email}?` } } },
      state: email,
    }))
    expectNoSecret(asking.whole)
    expect((await records(asking.call))[1]).toMatchObject({
      outcome: {
        status: 'tool-error',
        obligations: [
          { fulfilled: false, detail: expect.stringContaining('asks for something first') },
          { fulfilled: false },
        ],
      },
    })
  })

  it('gets nothing where the tool makes it impossible to tell what belongs to the field', async () => {
    const table = { columns: ['id', 'email'], rows: [[1, secrets[0] ?? '']] }
    const { result, whole, call: id } = await call('ann', giving({ content: [], structuredContent: table }))
    expectNoSecret(whole)
    expect(result).toMatchObject({ isError: true })
    expect(whole).toContain('The output is withheld.')
    expect((await records(id))[1]).toMatchObject({
      outcome: { obligations: [{ fulfilled: false }, { fulfilled: false }] },
    })
    expectNoSecret(JSON.stringify(await app.manage('demo', 'audit.why', { namespace: 'demo', call: id })))
  })

  it('can be told by a tool that lies what no policy knows to be there: the limit of redaction', async () => {
    const coded = Buffer.from(secrets[0] ?? '').toString('base64')
    const { result } = await call(
      'ann',
      giving({ content: [], structuredContent: { contact: coded, reach: secrets[0] ?? '' } }),
    )
    expect(result.structuredContent).toEqual({ contact: coded, reach: secrets[0] })
  })
})

describe('an agent whose permit demands nothing', () => {
  it('gets everything from the same tool: the control', async () => {
    const { result } = await call('eve', giving(honest))
    expect(result.structuredContent).toEqual(honest.structuredContent)
    expect(result.content).toEqual(honest.content)
  })
})
