import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startHarness, type Harness, type RawAnswer } from '../support/http-harness.ts'
import { callModern } from '../support/mcp-messages.ts'
import { createScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts'

let harness: Harness
let gateway: ScriptedGateway
beforeAll(async () => {
  gateway = createScriptedGateway()
  harness = await startHarness({ gateway: () => gateway })
})
afterAll(() => harness.close())
beforeEach(() => {
  gateway.requests.length = 0
  harness.incidents.length = 0
})

const call = { name: 'leads-export', arguments: { rows: 5 } }

function resultOf(answer: RawAnswer): JsonObject {
  if (!isJsonObject(answer.json.result)) throw new Error(`no result: ${answer.text}`)
  return answer.json.result
}

describe('to a client of 2026-07-28', () => {
  it(
    verifies('private-lists', 'lists and reads are private with a time to live, whatever the backend says'),
    async () => {
      gateway.lists = () => [{ name: 'one', inputSchema: { type: 'object' } }]
      gateway.answer = () => ({
        status: 'ok',
        call: 'c',
        result: { contents: [{ uri: 'a:b', text: 'x' }], cacheScope: 'public', ttlMs: 9 },
      })
      for (const [method, params] of [
        ['tools/list', {}],
        ['prompts/list', {}],
        ['resources/list', {}],
        ['resources/templates/list', {}],
        ['resources/read', { uri: 'a:b' }],
        ['server/discover', {}],
      ] as const) {
        const result = resultOf(await callModern(harness.port, method, params))
        expect([method, result.cacheScope, typeof result.ttlMs]).toEqual([method, 'private', 'number'])
      }
    },
  )

  it(verifies('discover', 'server/discover tells versions, capabilities and who is speaking'), async () => {
    expect(resultOf(await callModern(harness.port, 'server/discover'))).toMatchObject({
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true }, resources: { listChanged: true }, prompts: { listChanged: true } },
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'mcpworks' } },
    })
  })

  it(verifies('capability-missing', 'a call that needs what the client cannot do is 400, -32021'), async () => {
    const ask = {
      method: 'elicitation/create',
      params: { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } },
    }
    gateway.answer = () => ({ status: 'input-required', call: 'c', inputRequests: { ask }, state: null })
    const answer = await callModern(harness.port, 'tools/call', call)
    expect(answer.status).toBe(400)
    expect(answer.json.error).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { elicitation: { form: {} } } },
    })
  })

  it(
    verifies(
      'state-sealed',
      'a second round reaches the pipeline with the state and the answers, once, and only as the same call',
    ),
    async () => {
      const ask = {
        method: 'elicitation/create',
        params: { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } },
      }
      gateway.answer = ({ effect }) =>
        effect.kind === 'call' && effect.resume === null
          ? { status: 'input-required', call: 'c1', inputRequests: { ask }, state: 'asked' }
          : { status: 'ok', call: 'c2', result: { content: [] } }
      const options = { capabilities: { elicitation: {} } }
      const first = resultOf(await callModern(harness.port, 'tools/call', call, options))
      expect(first).toMatchObject({ resultType: 'input_required', inputRequests: { ask } })
      const round = { inputResponses: { ask: { action: 'accept' } }, requestState: String(first.requestState) }
      const other = await callModern(
        harness.port,
        'tools/call',
        { ...call, arguments: { rows: 500 }, ...round },
        options,
      )
      expect(other.json.error).toMatchObject({ code: -32602 })
      expect(resultOf(await callModern(harness.port, 'tools/call', { ...call, ...round }, options)).resultType).toBe(
        'complete',
      )
      expect(gateway.requests.at(-1)?.effect).toMatchObject({
        resume: { inputResponses: { ask: { action: 'accept' } }, state: 'asked' },
      })
      const again = await callModern(harness.port, 'tools/call', { ...call, ...round }, options)
      expect(again.json.error).toMatchObject({ code: -32602, message: expect.stringContaining('requestState') })
      expect(gateway.requests).toHaveLength(2)
    },
  )

  it(verifies('method-unknown', 'methods of other eras and of nobody are 404, -32601, with the id'), async () => {
    for (const method of [
      'initialize',
      'ping',
      'logging/setLevel',
      'resources/subscribe',
      'tools/delete',
      'constructor',
      '__proto__',
      'toString',
    ]) {
      const answer = await callModern(harness.port, method, {}, { id: 'id-1' })
      expect([method, answer.status, answer.json]).toEqual([
        method,
        404,
        { jsonrpc: '2.0', id: 'id-1', error: { code: -32601, message: 'There is no such method.' } },
      ])
    }
  })

  it(verifies('session-header-ignored', 'session and event headers mean nothing'), async () => {
    const headers = { 'Mcp-Session-Id': 'made-up', 'Last-Event-ID': '7' }
    const answer = await callModern(harness.port, 'tools/list', {}, { headers })
    expect([answer.status, answer.headers['mcp-session-id']]).toEqual([200, undefined])
  })

  it(verifies('no-buffering', 'answers tell proxies not to buffer, and nobody to store or sniff'), async () => {
    const { headers } = await callModern(harness.port, 'tools/list')
    expect(headers).toMatchObject({
      'x-accel-buffering': 'no',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control') || name === 'x-powered-by')).toEqual(
      [],
    )
  })

  it(
    verifies(
      'parameter-headers',
      'a header that a tool declares is checked for those who see the tool, and unknown for all others',
    ),
    async () => {
      const inputSchema = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } }
      harness.catalogue.replaceService('demo', 'regional', [
        toolEntry('regional', () => textOutcome(''), 'demo', inputSchema),
      ])
      const send = (): Promise<RawAnswer> =>
        callModern(harness.port, 'tools/call', { name: 'regional', arguments: { region: 'eu' } })
      gateway.lists = () => [{ name: 'regional', inputSchema }]
      expect((await send()).json.error).toMatchObject({ code: -32020, data: { header: 'mcp-param-region' } })
      gateway.lists = () => []
      gateway.answer = () => ({ status: 'unknown', call: 'c', message: 'Unknown tool.' })
      expect((await send()).json.error).toEqual({ code: -32602, message: 'Unknown tool.' })
    },
  )

  it('a result that is not one of a tool does not go out', async () => {
    gateway.answer = () => ({ status: 'ok', call: 'c', result: { content: 'canary' } })
    const answer = await callModern(harness.port, 'tools/call', call)
    expect(answer.json.error).toMatchObject({ code: -32603 })
    expect(answer.text).not.toContain('canary')
  })

  it('a structured result that is no object is also shown as text', async () => {
    gateway.answer = () => ({ status: 'ok', call: 'c', result: { structuredContent: [1, 2] } })
    expect(resultOf(await callModern(harness.port, 'tools/call', call))).toMatchObject({
      structuredContent: [1, 2],
      content: [{ type: 'text', text: '[1,2]' }],
    })
  })
})
