import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayAnswer } from '../../src/gateway/index.ts'
import { isJsonObject, McpworksError, type JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startHarness, type Harness, type RawAnswer } from '../support/http-harness.ts'
import { callModern, openLegacySession, postLegacy } from '../support/mcp-messages.ts'
import { createScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts'

let harness: Harness
let gateway: ScriptedGateway
let session: string
beforeAll(async () => {
  gateway = createScriptedGateway()
  harness = await startHarness({ gateway: () => gateway })
  session = await openLegacySession(harness.port)
})
afterAll(() => harness.close())
beforeEach(() => {
  gateway.requests.length = 0
  harness.incidents.length = 0
})

/** The same call as a client of either era. */
const eras: [string, (method: string, params: JsonObject) => Promise<RawAnswer>][] = [
  ['2026-07-28', (method, params) => callModern(harness.port, method, params, { id: 7 })],
  ['2025-11-25', (method, params) => postLegacy(harness.port, { jsonrpc: '2.0', id: 7, method, params }, { session })],
]
const call = { name: 'leads-export', arguments: { rows: 5 } }

function resultOf(answer: RawAnswer): JsonObject {
  if (!isJsonObject(answer.json.result)) throw new Error(`no result: ${answer.text}`)
  return answer.json.result
}

describe.each(eras)('to a client of %s', (era, send) => {
  it(verifies('call-id', 'a result carries the id of its call'), async () => {
    gateway.answer = () => ({
      status: 'ok',
      call: 'call-42',
      result: { content: [{ type: 'text', text: 'five' }], _meta: { mine: 1 } },
    })
    const answer = await send('tools/call', call)
    expect(resultOf(answer)).toMatchObject({
      content: [{ type: 'text', text: 'five' }],
      _meta: { mine: 1, 'mcpworks/call': 'call-42' },
    })
    expect(gateway.requests[0]).toMatchObject({
      namespace: 'demo',
      door: 'tool',
      effect: { kind: 'call', tool: 'leads-export', arguments: { rows: 5 }, resume: null },
      caller: { client: { claimedName: 'test 1' } },
      facts: { method: 'tools/call', protocolVersion: era, requestId: '7' },
    })
  })

  it(
    verifies(
      'denial-readable',
      'a refused call is a tool error that says why, by which rule, what would change it, and where to look',
    ),
    async () => {
      gateway.answer = () => ({
        status: 'denied',
        call: 'call-43',
        message: 'Exports are for the night shift.',
        rules: ['leads.cedar#exports'],
        remedy: 'approval',
      })
      const answer = await send('tools/call', call)
      const { content, isError, _meta } = resultOf(answer)
      expect([answer.status, isError]).toEqual([200, true])
      const text = JSON.stringify(content)
      for (const part of [
        'Exports are for the night shift.',
        'leads.cedar#exports',
        'approval',
        'mcpworks why call-43',
      ])
        expect(text).toContain(part)
      expect(_meta).toMatchObject({
        'mcpworks/call': 'call-43',
        'mcpworks/denial': {
          message: 'Exports are for the night shift.',
          rules: ['leads.cedar#exports'],
          remedy: 'approval',
        },
      })
    },
  )

  it(verifies('denial-readable', 'a refused read or prompt is a JSON-RPC error with the same facts'), async () => {
    gateway.answer = () => ({ status: 'denied', call: 'call-44', message: 'Not at night.', rules: ['r'], remedy: null })
    for (const [method, params] of [
      ['resources/read', { uri: 'a:b' }],
      ['prompts/get', { name: 'p' }],
    ] as const) {
      expect((await send(method, params)).json.error).toEqual({
        code: -31003,
        message: 'Refused by policy: Not at night.',
        data: { call: 'call-44', rules: ['r'], remedy: null },
      })
    }
  })

  it(verifies('arguments-invalid', 'wrong arguments are a tool error that names each of them'), async () => {
    gateway.answer = () => ({
      status: 'invalid',
      call: 'call-45',
      message: 'The arguments do not fit the input schema.',
      problems: [
        { path: '/rows', message: 'must be integer' },
        { path: '', message: 'must not have property colour' },
      ],
    })
    const { content, isError } = resultOf(await send('tools/call', call))
    expect(isError).toBe(true)
    expect(JSON.stringify(content)).toContain(
      String.raw`- /rows: must be integer\n- arguments: must not have property colour`,
    )
  })

  it(
    verifies('namespace-entry', 'an unknown tool is -32602 with nothing that could tell it from a forbidden one'),
    async () => {
      gateway.answer = (request) => ({
        status: 'unknown',
        call: `call-${request.facts.method}`,
        message: 'Unknown tool.',
      })
      const answer = await send('tools/call', call)
      expect(answer.status).toBe(200)
      expect(answer.json).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32602, message: 'Unknown tool.' } })
    },
  )

  it(verifies('resource-unknown', 'an unknown resource is -32602 with its URI'), async () => {
    gateway.answer = () => ({ status: 'unknown', call: 'x', message: 'Unknown resource.' })
    expect((await send('resources/read', { uri: 'test://none' })).json.error).toEqual({
      code: -32602,
      message: 'Unknown resource.',
      data: { uri: 'test://none' },
    })
  })

  it.each([
    ['audit_unavailable', 503],
    ['sandbox_unavailable', 503],
    ['storage_unavailable', 503],
    ['overloaded', 429],
    ['internal', 500],
  ] as const)(
    verifies('unavailable', 'a step that cannot work (%s) is answered %i with the call'),
    async (code, status) => {
      gateway.answer = (): GatewayAnswer => ({
        status: 'unavailable',
        call: 'call-46',
        code,
        message: 'The log is full.',
      })
      const answer = await send('tools/call', call)
      expect(answer.status).toBe(status)
      expect(answer.json).toMatchObject({
        id: 7,
        error: { code: -32603, message: 'The log is full.', data: { call: 'call-46', code } },
      })
    },
  )

  it(
    verifies('incident', 'an unexpected exception is 500 with an incident id and nothing of the exception'),
    async () => {
      gateway.answer = () => {
        throw new Error('canary-of-the-inside')
      }
      const answer = await send('tools/call', call)
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain('canary')
      const [incident] = harness.incidents
      expect(answer.text).toContain(incident?.id)
      expect(String(incident?.error)).toContain('canary-of-the-inside')
    },
  )

  it('an error of the table keeps its sentence and status', async () => {
    gateway.answer = () => {
      throw new McpworksError('storage_unavailable', { detail: 'canary-detail' })
    }
    const answer = await send('tools/call', call)
    expect(answer.status).toBe(503)
    expect(answer.text).not.toContain('canary-detail')
  })

  it('a backend that refuses in protocol terms is passed on with the call', async () => {
    gateway.answer = () => ({
      status: 'protocol-error',
      call: 'call-47',
      rpcCode: -31050,
      message: 'No.',
      data: { why: 'x' },
    })
    expect((await send('tools/call', call)).json.error).toEqual({
      code: -31050,
      message: 'No.',
      data: { why: 'x', call: 'call-47' },
    })
  })

  it.each([
    ['tools/call', {}],
    ['tools/call', { name: '' }],
    ['tools/call', { name: 'x', arguments: [] }],
    ['resources/read', {}],
    ['prompts/get', { name: 'x', arguments: 1 }],
    ['completion/complete', { ref: {} }],
    ['completion/complete', { argument: {} }],
  ])('wrong params of %s (%j) are -32602 before the pipeline', async (method, params) => {
    const answer = await send(method, params)
    expect(answer.json.error).toMatchObject({ code: -32602 })
    expect(gateway.requests).toEqual([])
  })
})

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
