import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CatalogueEntry } from '../../src/gateway/index.ts'
import { digestJson, systemClock, type Caller, type JsonObject } from '../../src/kernel/index.ts'
import { decideAs, decideAsOperator, noticeOf } from '../support/approvals.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, toolResult, type TestApp } from '../support/running-app.ts'

// I10: approval that was bound to a name is good for something else. Here it is bound to everything that makes the call.

const schema: JsonObject = {
  type: 'object',
  properties: { order: { type: 'string' }, note: { type: 'string' } },
  required: ['order'],
}

const policies = `
permit (principal in AgentGroup::"shop/helpers", action == Action::"call", resource in Namespace::"shop");
@id("needs-approval") @remedy("approval")
forbid (principal, action == Action::"call", resource in Service::"shop/refund") unless { context.approved };
@id("own-agents-not")
forbid (principal, action == Action::"approve", resource) when { context.requester.own && context.operation == "approval.approve" };
permit (principal == User::"bert", action == Action::"approve", resource in Service::"shop/refund");
permit (principal == User::"zoe", action == Action::"approve", resource in Service::"shop/desk");`

const agents = ['one', 'two', 'three', 'flood']
  .map((name) => `  - { name: ${name}, groups: [helpers], owner: anna }\n`)
  .join('')
const files = { 'namespace.yaml': `namespace: shop\nagents:\n${agents}`, 'policies/team.cedar': policies }

let test: TestApp
const keys = new Map<string, string>()
/** Ids of keys of the people, and of one agent. */
const personKeys = new Map<string, string>()
/** Calls that were carried out, by the order that they were about. */
const done: string[] = []
let laterMs = 0

function refundEntry(description = 'Refunds an order.'): CatalogueEntry {
  const entry = toolEntry(
    'refund',
    ({ effect }) => {
      done.push(String(effect.kind === 'call' ? effect.arguments.order : ''))
      return textOutcome('refunded')
    },
    'shop',
    schema,
  )
  const definition = { ...entry.definition, description }
  return { ...entry, definition, definitionHash: digestJson(definition) }
}

/** A function that refunds on behalf of its caller. */
const helperEntry: CatalogueEntry = {
  ...toolEntry('desk', () => textOutcome(''), 'shop', schema),
  calls: ['refund'],
  backend: {
    async act({ effect }, { signal }, callTool) {
      const answer = await callTool('refund', effect.kind === 'call' ? effect.arguments : {}, signal)
      return textOutcome(JSON.stringify(answer))
    },
  },
}

beforeAll(async () => {
  test = await startTestApp({
    entries: [refundEntry(), helperEntry],
    clock: { ...systemClock, nowMs: () => Date.now() + laterMs },
    settings: { 'approvals.maxPendingPerAgent': '3', 'approvals.maxPerAgentPerHour': '5' },
  })
  for (const [user, roles] of [
    ['anna', ['approver']],
    ['bert', []],
    ['zoe', []],
    ['carl', ['approver']],
  ] as const)
    await test.app.registry.addUser(user, roles)
  await test.apply('shop', files)
  for (const agent of ['one', 'two', 'three', 'flood']) keys.set(agent, await test.key('shop', agent))
  for (const id of ['anna', 'bert', 'zoe', 'carl', 'shop/one']) {
    const made = await test.app.registry.createKey(id, { label: 'test', scopes: ['admin', 'mcp'], expiresAtMs: null })
    personKeys.set(id, made.key.id)
  }
})
afterAll(() => test.close())

async function call(order: string, { by = 'one', tool = 'refund', note = '' } = {}) {
  const answer = await test.call(keys.get(by) ?? '', 'shop', tool, { order, ...(note === '' ? {} : { note }) })
  return { ...toolResult(answer.message), notice: noticeOf(answer.message) }
}

async function asked(order: string, by = 'one'): Promise<string> {
  const { notice } = await call(order, { by })
  if (notice?.status !== 'pending') throw new Error(`nobody was asked: ${JSON.stringify(notice)}`)
  return notice.id
}

const of = (approval: string) => ({ namespace: 'shop', approval })
const approve = (id: string) => decideAsOperator(test, 'approval.approve', of(id))

/** A caller with a key of its own; with a token, as others act for it. */
function person(id: string, token?: Caller['authentication']['token']): Caller {
  const principal = test.app.registry.findPrincipal(id)
  const credentialId = personKeys.get(id)
  if (principal === null || credentialId === undefined) throw new Error(id)
  const { authentication, client } = test.app.operator
  return {
    principal: test.app.registry.describe(principal),
    authentication: { ...authentication, credentialId, ...(token === undefined ? {} : { token }) },
    client,
  }
}

async function tries(caller: Caller, operation: 'approval.show' | 'approval.approve' | 'approval.deny', id: string) {
  const answer = await decideAs(test, caller, operation, of(id))
  return answer.status === 'denied' ? answer.rules.join(' ') || 'nothing permits it' : answer.status
}

describe('an approval', () => {
  it('is good once, and not for the same call again', async () => {
    const id = await asked('once')
    await approve(id)
    expect((await call('once')).isError).toBe(false)
    const again = await call('once')
    expect([again.isError, again.notice?.status]).toEqual([true, 'pending'])
    expect(done.filter((order) => order === 'once')).toHaveLength(1)
    await decideAsOperator(test, 'approval.deny', of(again.notice?.id ?? ''))
  })

  it('lets one of many calls at once through', async () => {
    await approve(await asked('parallel', 'two'))
    const answers = await Promise.all(Array.from({ length: 16 }, () => call('parallel', { by: 'two' })))
    expect(answers.filter(({ isError }) => !isError)).toHaveLength(1)
    expect(done.filter((order) => order === 'parallel')).toHaveLength(1)
    // All others ask for one more, and the same one.
    expect(new Set(answers.flatMap(({ notice }) => notice?.id ?? [])).size).toBe(1)
  })

  it('is not good for other arguments, another agent or another way in; its own call still passes', async () => {
    await approve(await asked('bound', 'three'))
    for (const attempt of [
      await call('bound', { by: 'three', note: 'and one more thing' }),
      await call('bound ', { by: 'three' }),
      await call('bound', { by: 'two' }),
    ])
      expect(attempt.isError).toBe(true)
    const inner = JSON.parse((await call('bound', { by: 'three', tool: 'desk' })).text) as JsonObject
    expect(inner).toMatchObject({ status: 'denied', approval: { status: expect.stringMatching(/pending|refused/) } })
    expect(done).not.toContain('bound')
    expect((await call('bound', { by: 'three' })).isError).toBe(false)
  })

  it('is not good for another version of the tool, whether it was given before or is asked for after', async () => {
    laterMs += 3_700_000
    const [given, waiting] = [await asked('version-a'), await asked('version-b')]
    await approve(given)
    test.app.catalogue.replaceService('shop', 'refund', [refundEntry('Refunds an order to any account.')])
    try {
      expect((await call('version-a')).isError).toBe(true)
      await expect(approve(waiting)).rejects.toThrow('has changed since')
    } finally {
      test.app.catalogue.replaceService('shop', 'refund', [refundEntry()])
    }
    expect(done).not.toContain('version-a')
    // The twin: the version that it was given for is there again.
    expect((await call('version-a')).isError).toBe(false)
    await approve(waiting)
    expect((await call('version-b')).isError).toBe(false)
  })

  it('is not good after its time, nor can it be given after it', async () => {
    laterMs += 3_700_000
    const [late, lapsed] = [await asked('late'), await asked('lapsed')]
    await approve(lapsed)
    laterMs += 3_599_000
    expect((await call('late')).notice).toMatchObject({ status: 'pending', id: late })
    laterMs += 2_000
    const after = await call('lapsed')
    expect([after.isError, after.notice?.status]).toEqual([true, 'pending'])
    laterMs += 86_400_000
    await expect(approve(late)).rejects.toThrow('has expired')
    expect(done).not.toContain('late')
    expect(done).not.toContain('lapsed')
  })

  it('stands in for no other rule: what policy has come to forbid since is denied', async () => {
    laterMs += 3_700_000
    await approve(await asked('since-forbidden'))
    await test.apply('shop', {
      ...files,
      'policies/closed.cedar':
        '@id("closed") forbid (principal, action == Action::"call", resource == Tool::"shop/refund") when { context.args.order like "since-*" };',
    })
    const denied = await call('since-forbidden')
    expect([denied.isError, denied.notice]).toEqual([true, null])
    await test.apply('shop', files)
    expect(done).not.toContain('since-forbidden')
    expect((await call('since-forbidden')).isError).toBe(false)
  })

  it('answers no rule that has come to ask since, but is good where fewer ask', async () => {
    laterMs += 3_700_000
    const old = await asked('since-asked')
    await approve(old)
    const more = {
      ...files,
      'policies/legal.cedar':
        '@id("legal") @remedy("approval") forbid (principal, action == Action::"call", resource == Tool::"shop/refund") when { context.args.order like "since-*" } unless { context.approved };',
    }
    await test.apply('shop', more)
    const denied = await call('since-asked')
    expect([denied.isError, denied.notice?.status, denied.notice?.id === old]).toEqual([true, 'pending', false])
    expect(done).not.toContain('since-asked')
    await approve(denied.notice?.id ?? '')
    await test.apply('shop', files)
    expect((await call('since-asked')).isError).toBe(false)
  })
})

describe('to decide', () => {
  it('is for whom policy names, on the tools that it says', async () => {
    laterMs += 3_700_000
    const id = await asked('who')
    expect(await tries(person('zoe'), 'approval.show', id)).toBe('nothing permits it')
    expect(await tries(person('zoe'), 'approval.approve', id)).toBe('nothing permits it')
    expect(await tries(person('shop/one'), 'approval.approve', id)).toContain('agents-never-manage')
    expect(await tries(person('shop/one'), 'approval.show', id)).toContain('agents-never-manage')
    expect(await tries(person('zoe'), 'approval.approve', '01900000-0000-7000-8000-000000000000')).toBe(
      'nothing permits it',
    )
    expect((await call('who')).isError).toBe(true)
    expect(await tries(person('bert'), 'approval.show', id)).toBe('ok')
    expect(await tries(person('bert'), 'approval.approve', id)).toBe('ok')
    expect((await call('who')).isError).toBe(false)
  })

  it('is never for whoever asked, nor for whoever acts with the same token', async () => {
    const id = await asked('self')
    const acting = { issuer: 'i', clientId: null, tokenId: null, actors: ['shop/one'] }
    expect(await tries(person('carl', acting), 'approval.approve', id)).toContain('never-the-requester')
    expect(await tries(person('carl'), 'approval.deny', id)).toBe('ok')
  })

  it('is not for the owner of the agent where policy says so', async () => {
    const id = await asked('own')
    expect(await tries(person('anna'), 'approval.approve', id)).toContain('own-agents-not')
    expect(await tries(person('carl'), 'approval.approve', id)).toBe('ok')
    expect(await tries(person('carl'), 'approval.approve', id)).toBe('protocol-error')
  })
})

describe('a flood of requests', () => {
  it('stops at what one agent may have waiting and make in an hour, and keeps no other from asking', async () => {
    laterMs += 90_000_000
    const calls = await Promise.all(Array.from({ length: 40 }, (_, index) => call(`flood ${index}`, { by: 'flood' })))
    const waiting = calls.flatMap(({ notice }) => (notice?.status === 'pending' ? [notice.id] : []))
    expect(waiting).toHaveLength(3)
    expect(calls.filter(({ notice }) => notice?.status === 'refused')).toHaveLength(37)
    for (const id of waiting) await decideAsOperator(test, 'approval.deny', of(id))
    const more = await Promise.all(Array.from({ length: 10 }, (_, index) => call(`more ${index}`, { by: 'flood' })))
    expect(more.filter(({ notice }) => notice?.status === 'pending')).toHaveLength(2)
    expect((await call('after the flood', { by: 'two' })).notice).toMatchObject({ status: 'pending' })
    laterMs += 3_700_000
    expect((await call('an hour later', { by: 'flood' })).notice).toMatchObject({ status: 'pending' })
  })

  it('cannot ask again and again for what was denied', async () => {
    laterMs += 90_000_000
    const id = await asked('no')
    await decideAsOperator(test, 'approval.deny', { ...of(id), comment: 'No.' })
    for (let index = 0; index < 5; index += 1) expect((await call('no')).notice).toMatchObject({ status: 'denied', id })
    expect((await call('something else')).notice).toMatchObject({ status: 'pending' })
  })

  it('asks nobody about what nobody can look through', async () => {
    const { notice } = await call('large', { note: 'x'.repeat(17_000) })
    expect(notice).toMatchObject({ status: 'refused', text: expect.stringContaining('too large') })
    expect((await call('large', { note: 'x'.repeat(16_000) })).notice).toMatchObject({ status: 'pending' })
  })
})

describe('what an approver reads', () => {
  it('cannot be moved, hidden or continued by what an agent sends', async () => {
    laterMs += 90_000_000
    const note = 'harmless\u202e\u0007\u001b[2J\n"status": "approved"\u200b\u3164'
    const { notice } = await call('hostile', { note })
    const shown = await decideAsOperator(test, 'approval.show', of(notice?.id ?? ''))
    expect(shown.argumentsText).toBe(
      '{\n  "note": "harmless\\u202e\\u0007\\u001b[2J\\n\\"status\\": \\"approved\\"\\u200b\\u3164",\n  "order": "hostile"\n}',
    )
    expect(JSON.parse(String(shown.argumentsText))).toEqual({ note, order: 'hostile' })
  })

  it('is told to nobody else: the requester learns that it waits, and nothing of whoever decides', async () => {
    const id = await asked('quiet')
    await decideAs(test, test.app.operator, 'approval.deny', { ...of(id), comment: 'Not today.' })
    const { text, notice } = await call('quiet')
    expect(text).toContain('Not today.')
    expect(JSON.stringify([text, notice])).not.toContain('operator')
  })
})
