import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../../support/echo-entries.ts'
import { openStream } from '../../support/event-stream.ts'
import { gatedEntry } from '../../support/gated-entry.ts'
import { callModern, modernMeta, openLegacySession, postLegacy } from '../../support/mcp-messages.ts'
import { startTestApp, toolResult, type TestApp } from '../../support/running-app.ts'

// I12 and the first of the breach categories: a credential that was taken back must be worth nothing at the next
// request, and nothing that was begun with it may go on: not a call, not a stream, not a session, not a later round.

const gate = gatedEntry('gate-wait')
const marked = gatedEntry('mark-here')
const ask = toolEntry('ask-name', ({ effect }) =>
  effect.kind === 'call' && effect.resume !== null
    ? textOutcome('hello')
    : {
        status: 'input-required',
        inputRequests: { name: { method: 'elicitation/create', params: { message: 'Name?', requestedSchema: {} } } },
        state: 'asked',
      },
)

let test: TestApp
let port: number
let victim: string
let other: string

beforeAll(async () => {
  test = await startTestApp({
    entries: [gate.entry, marked.entry, ask],
    settings: { 'http.sseKeepAliveMs': '600000' },
  })
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: victim\n  - name: other\n',
    'policies/demo.cedar': 'permit (principal, action == Action::"call", resource);',
    'services/code/service.yaml': 'limits: { wallMs: 60000 }\nfunctions:\n  run: { calls: [mark-here] }\n',
    'services/code/run.py':
      'import time\nfrom mcpworks import call\n\n\ndef run() -> int:\n    """Runs long."""\n    try:\n        call("mark-here", {})\n    except Exception:\n        pass\n    time.sleep(50)\n    return 1\n',
  })
  port = Number(new URL(test.app.url).port)
  victim = await test.key('demo', 'victim')
  other = await test.key('demo', 'other')
})
afterAll(() => test.close())
beforeEach(() => enable())

const agent = { namespace: 'demo', agent: 'victim' }
const disable = (): Promise<JsonObject> => test.manage('demo', 'agent.disable', agent)
const enable = (): Promise<JsonObject> => test.manage('demo', 'agent.enable', agent)
const list = async (key: string): Promise<number> =>
  (await callModern(port, 'tools/list', {}, { credential: key })).status
const bearer = (key: string): Record<string, string> => ({ Authorization: `Bearer ${key}` })

async function newestOutcome(): Promise<JsonObject> {
  const { records } = await test.manage('demo', 'audit.tail', {
    namespace: 'demo',
    kind: 'outcome',
    limit: 1,
    reads: false,
    waitSeconds: 0,
  })
  return (records as JsonObject[])[0] as JsonObject
}

describe('an agent that is disabled', () => {
  it('is refused at its next request with every credential it has, and the others are not', async () => {
    expect(await list(victim)).toBe(200)
    const second = await test.key('demo', 'victim')
    await disable()
    for (const key of [victim, second]) {
      const refused = await callModern(port, 'tools/list', {}, { credential: key })
      expect(refused.status).toBe(401)
      expect(refused.headers['www-authenticate']).toContain('invalid_token')
    }
    expect((await callModern(port, 'tools/list', {}, { credential: other })).status).toBe(200)
  })

  it('gets the same answer as a stranger with a bad credential', async () => {
    await disable()
    const disabled = await callModern(port, 'tools/list', {}, { credential: victim })
    const stranger = await callModern(port, 'tools/list', {}, { credential: `mcpw_abcdefghijkl_${'x'.repeat(43)}` })
    expect({ ...disabled, headers: { ...disabled.headers, date: '' } }).toEqual({
      ...stranger,
      headers: { ...stranger.headers, date: '' },
    })
  })

  it('loses the call that is under way, and its output; the call of another agent goes on', async () => {
    const begun = gate.begun()
    const running = test.call(victim, 'demo', 'gate-wait', {})
    await begun
    const others = gate.begun()
    const beside = test.call(other, 'demo', 'gate-wait', {})
    await others
    const before = gate.cutOff
    await disable()
    const cut = await running
    expect(cut.status).toBe(401)
    expect(JSON.stringify(cut.message)).not.toContain('secret output')
    expect(gate.cutOff).toBe(before + 1)
    gate.release()
    expect(toolResult((await beside).message).text).toBe('secret output')
  })

  it('has its sandbox killed in the middle of a call, and a call that this one made with it', async () => {
    const begun = marked.begun()
    const running = test.call(victim, 'demo', 'code-run', {})
    await begun
    const before = marked.cutOff
    const startedMs = performance.now()
    await disable()
    expect((await running).status).toBe(401)
    expect(marked.cutOff).toBe(before + 1)
    // The code sleeps for 50 s.
    expect(performance.now() - startedMs).toBeLessThan(20_000)
    expect(await newestOutcome()).toMatchObject({ summary: expect.stringContaining('killed') })
  })

  it('loses its event streams at once, not with the next keep-alive; the streams of another stay', async () => {
    const listen = {
      jsonrpc: '2.0',
      id: 'sub',
      method: 'subscriptions/listen',
      params: { notifications: { toolsListChanged: true }, _meta: modernMeta() },
    }
    const modern = { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'subscriptions/listen' }
    const mine = await openStream(port, listen, { ...modern, ...bearer(victim) })
    const theirs = await openStream(port, listen, { ...modern, ...bearer(other) })
    await mine.next()
    await theirs.next()
    await disable()
    expect(await mine.next()).toMatchObject({ id: 'sub', result: { resultType: 'complete' } })
    expect(await mine.next()).toBeNull()
    expect(theirs.ended).toBe(false)
    theirs.close()
  })

  it('loses its sessions for good: enabled again it has to begin a new one', async () => {
    const session = await openLegacySession(port, {}, { credential: victim })
    const kept = await openLegacySession(port, {}, { credential: other })
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    expect((await postLegacy(port, ping, { credential: victim, session })).status).toBe(200)
    await disable()
    await enable()
    expect((await postLegacy(port, ping, { credential: victim, session })).status).toBe(404)
    expect((await postLegacy(port, ping, { credential: other, session: kept })).status).toBe(200)
    const anew = await openLegacySession(port, {}, { credential: victim })
    expect((await postLegacy(port, ping, { credential: victim, session: anew })).status).toBe(200)
  })

  it('loses a call of a session that waits for its user', async () => {
    const session = await openLegacySession(port, { elicitation: {} }, { credential: victim })
    const message = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'ask-name', arguments: {} } }
    const legacy = { 'Mcp-Session-Id': session, 'MCP-Protocol-Version': '2025-11-25', ...bearer(victim) }
    const stream = await openStream(port, message, legacy)
    expect(await stream.next()).toMatchObject({ method: 'elicitation/create' })
    await disable()
    const last = await stream.next()
    expect(JSON.stringify(last)).not.toContain('hello')
  })

  it('cannot go on with a request of several rounds while it is disabled, and can after', async () => {
    const params = { name: 'ask-name', arguments: {} }
    const options = { credential: victim, capabilities: { elicitation: { form: {} } } }
    const first = await callModern(port, 'tools/call', params, options)
    const { requestState } = first.json.result as JsonObject
    const round = { ...params, requestState: requestState as string, inputResponses: { name: { action: 'accept' } } }
    await disable()
    expect((await callModern(port, 'tools/call', round, options)).status).toBe(401)
    await enable()
    const done = await callModern(port, 'tools/call', round, options)
    expect(toolResult(done.json).text).toBe('hello')
  })

  it('stays disabled whatever keys are made for it while it is', async () => {
    const [made] = await Promise.all([test.key('demo', 'victim'), disable()])
    const later = await test.key('demo', 'victim')
    for (const key of [made, later]) expect(await list(key)).toBe(401)
    await enable()
    for (const key of [made, later]) expect(await list(key)).toBe(200)
  })

  it('is on the record with who did it, before it takes effect', async () => {
    await disable()
    const { records } = await test.manage('demo', 'audit.tail', {
      namespace: 'demo',
      kind: 'credential',
      limit: 1,
      reads: false,
      waitSeconds: 0,
    })
    expect(records).toMatchObject([
      { record: { event: { type: 'agent-disabled', agent: 'demo/victim', principal: 'operator' } } },
    ])
  })
})

describe('an API key that is revoked', () => {
  it('cuts off its own calls and not those of another key of the same agent', async () => {
    const [lost, kept] = [await test.key('demo', 'other'), await test.key('demo', 'other')]
    const first = gate.begun()
    const cut = test.call(lost, 'demo', 'gate-wait', {})
    await first
    const second = gate.begun()
    const stays = test.call(kept, 'demo', 'gate-wait', {})
    await second
    await test.manage('demo', 'credential.revoke', { namespace: 'demo', credential: lost.split('_')[1] ?? '' })
    expect((await cut).status).toBe(401)
    gate.release()
    expect((await stays).status).toBe(200)
  })
})
