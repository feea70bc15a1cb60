import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GatewayAnswer } from '../../src/gateway/index.ts'
import { isJsonObject, McpworksError, type JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
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
