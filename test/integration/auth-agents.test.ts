import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Caller, JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

let test: TestApp

const directory = (agents: string): Record<string, string> => ({
  'namespace.yaml': `namespace: demo\nagents:\n${agents}`,
  'policies/demo.cedar': 'permit (principal in AgentGroup::"demo/readers", action == Action::"call", resource);',
})

beforeAll(async () => {
  test = await startTestApp()
  await test.apply('demo', directory('  - name: crawler\n    groups: [readers]\n'))
  await test.app.registry.addUser('anna', ['admin'])
  await test.app.registry.addUser('bert', ['author'])
})
afterAll(() => test.close())

const manage = (operation: string, args: JsonObject = {}): Promise<JsonObject> =>
  test.manage('demo', operation, { namespace: 'demo', ...args })
const show = async (agent = 'crawler'): Promise<JsonObject> =>
  (await manage('agent.show', { agent })).agent as JsonObject

describe('an agent', () => {
  it('is owned by who added it, unless another user is named', async () => {
    expect(await show()).toMatchObject({ owner: 'operator', status: 'active', senderConstrainedOnly: false })
    await manage('agent.add', { agent: 'bound', owner: 'anna', senderConstrainedOnly: true, groups: ['readers'] })
    expect(await show('bound')).toMatchObject({ owner: 'anna', senderConstrainedOnly: true, groups: ['readers'] })
    await expect(manage('agent.add', { agent: 'orphan', owner: 'nobody' })).rejects.toThrow('There is no user nobody')
    await expect(manage('agent.add', { agent: 'orphan', owner: 'crawler' })).rejects.toThrow('There is no user')
  })

  it('that must prove a key of its own cannot enter with an API key, from the next request on', async () => {
    const key = await test.key('demo', 'crawler')
    expect(await test.list(key, 'demo')).toEqual([])
    expect((await test.call(key, 'demo', 'none', {})).status).toBe(200)
    await manage('agent.set', { agent: 'crawler', senderConstrainedOnly: true })
    expect((await test.call(key, 'demo', 'none', {})).status).toBe(401)
    await manage('agent.set', { agent: 'crawler', senderConstrainedOnly: false })
    expect((await test.call(key, 'demo', 'none', {})).status).toBe(200)
  })

  it('keeps what is not set', async () => {
    await manage('agent.set', { agent: 'crawler', owner: 'anna' })
    expect(await show()).toMatchObject({ owner: 'anna', groups: ['readers'] })
    await manage('agent.set', { agent: 'crawler', groups: [], owner: null })
    expect(await show()).toMatchObject({ owner: null, groups: [] })
  })

  it('cannot be enabled once it is revoked', async () => {
    await manage('agent.add', { agent: 'gone' })
    await manage('agent.revoke', { agent: 'gone' })
    await expect(manage('agent.enable', { agent: 'gone' })).rejects.toThrow('cannot be undone')
    expect(await show('gone')).toMatchObject({ status: 'revoked' })
  })
})

describe('the list of credentials', () => {
  it('has those of all kinds, with their last use and status, and never a secret', async () => {
    const key = await test.key('demo', 'crawler')
    const id = key.split('_')[1] ?? ''
    const binding = await test.app.registry.addCredential('demo/crawler', {
      kind: 'binding',
      label: 'deploy job',
      scopes: ['mcp'],
      expiresAtMs: 1,
      details: { issuer: 'https://issuer.example', match: { sub: 'secret-detail' } },
    })
    const find = async (which: string): Promise<JsonObject | undefined> => {
      const { credentials } = await manage('credential.list', { agent: 'crawler' })
      expect(JSON.stringify(credentials)).not.toContain('secret-detail')
      expect(JSON.stringify(credentials)).not.toContain(key.split('_').slice(2).join('_'))
      return (credentials as JsonObject[]).find((credential) => credential.id === which)
    }
    expect(await find(id)).toMatchObject({ kind: 'api-key', status: 'active', lastUsedAtMs: null, label: 'test' })
    expect(await find(binding.id)).toMatchObject({ kind: 'binding', status: 'expired', scopes: ['mcp'] })
    await test.list(key, 'demo')
    expect(await find(id)).toMatchObject({ lastUsedAtMs: expect.any(Number) })
    expect(await show()).toMatchObject({ lastUsedAtMs: expect.any(Number) })
    for (const credential of [id, binding.id]) await manage('credential.revoke', { credential })
    expect([await find(id), await find(binding.id)]).toMatchObject([{ status: 'revoked' }, { status: 'revoked' }])
    expect((await test.call(key, 'demo', 'none', {})).status).toBe(401)
  })

  it('of another namespace is out of reach, as if there were none', async () => {
    await test.apply('other', { 'namespace.yaml': 'namespace: other\nagents:\n  - name: guest\n' })
    const id = (await test.key('other', 'guest')).split('_')[1] ?? ''
    const messages = []
    for (const credential of [id, 'abcdefghijkl'])
      messages.push(await manage('credential.revoke', { credential }).catch(String))
    expect(
      String(messages[0])
        .replaceAll(id, 'ID')
        .replaceAll(/[0-9a-f-]{36}/g, ''),
    ).toBe(
      String(messages[1])
        .replaceAll('abcdefghijkl', 'ID')
        .replaceAll(/[0-9a-f-]{36}/g, ''),
    )
    expect(messages[0]).toContain('There is no credential')
  })
})

describe('applying a directory', () => {
  const wanted = directory('  - name: crawler\n    owner: anna\n    senderConstrained: true\n    status: disabled\n')
  const files = Object.entries(wanted).map(([path, text]) => ({ path, text }))

  async function applyAs(user: string): Promise<string> {
    const principal = test.app.registry.findPrincipal(user)
    if (principal === null) throw new Error('no such user')
    const { key } = await test.app.registry.createKey(user, { label: '', scopes: ['admin'], expiresAtMs: null })
    const caller: Caller = {
      ...test.app.operator,
      principal: test.app.registry.describe(principal),
      authentication: { ...test.app.operator.authentication, credentialId: key.id },
    }
    const answer = await test.app.gateway.perform(
      {
        caller,
        namespace: 'demo',
        door: 'management',
        effect: { kind: 'manage', operation: 'state.apply', arguments: { namespace: 'demo', files, dryRun: false } },
        facts: { method: 'x', protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
      },
      { signal: new AbortController().signal, log: () => {}, progress: () => {} },
    )
    return 'message' in answer ? answer.message : answer.status
  }

  it('plans what changes of an agent, in words, and then changes it', async () => {
    const plan = await manage('state.apply', { files, dryRun: true })
    expect(plan.changes).toContainEqual({
      change: 'change',
      kind: 'agent',
      name: 'crawler',
      detail: 'owner anna; sender-constrained only; disabled',
    })
    expect(await show()).toMatchObject({ status: 'active' })
  })

  it('is refused to who may write policies and not say who enters; who may both is let do it', async () => {
    expect(await applyAs('bert')).toMatch(/takes the right to agent\./)
    expect(await show()).toMatchObject({ status: 'active', senderConstrainedOnly: false })
    expect(await applyAs('anna')).toBe('ok')
    expect(await show()).toMatchObject({ status: 'disabled', owner: 'anna', senderConstrainedOnly: true })
  })

  it('leaves what the file does not say, and enables again what it says is active', async () => {
    await test.apply('demo', directory('  - name: crawler\n'))
    expect(await show()).toMatchObject({ status: 'disabled', owner: 'anna' })
    await test.apply('demo', directory('  - name: crawler\n    status: active\n'))
    expect(await show()).toMatchObject({ status: 'active', owner: 'anna', senderConstrainedOnly: true })
  })

  it('refuses an owner who is no user, and a status that cannot be undone', async () => {
    await expect(test.apply('demo', directory('  - name: crawler\n    owner: nobody\n'))).rejects.toThrow('no user')
    await expect(test.apply('demo', directory('  - name: crawler\n    status: revoked\n'))).rejects.toThrow('status')
  })
})
