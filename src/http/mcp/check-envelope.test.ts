import { describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { JsonObject } from '../../kernel/index.ts'
import type { RequestHead } from '../request-head.ts'
import { checkEnvelope } from './check-envelope.ts'

const version = 'io.modelcontextprotocol/protocolVersion'
const capabilities = 'io.modelcontextprotocol/clientCapabilities'
const rightMeta: JsonObject = { [version]: '2026-07-28', [capabilities]: { roots: {} } }

const emptyHead: RequestHead = {
  method: 'POST',
  path: '/mcp/demo',
  query: '',
  host: 'localhost',
  origin: undefined,
  authorization: [],
  dpop: [],
  cookie: undefined,
  accept: undefined,
  contentType: 'application/json',
  contentEncoding: undefined,
  userAgent: undefined,
  forwarded: [],
  xForwardedFor: [],
  protocolVersion: undefined,
  mcpMethod: undefined,
  mcpName: undefined,
  sessionId: undefined,
  fetchSite: undefined,
  csrf: undefined,
  parameters: null,
  repeated: null,
}
const rightHead: RequestHead = {
  ...emptyHead,
  protocolVersion: '2026-07-28',
  mcpMethod: 'tools/call',
  mcpName: 'leads-count',
}

function check(
  head: Partial<RequestHead>,
  meta: JsonObject = rightMeta,
  params: JsonObject = { name: 'leads-count' },
  method = 'tools/call',
) {
  return checkEnvelope(
    { ...rightHead, ...head },
    { kind: 'request', id: 1, method, params: { ...params, _meta: meta } },
  )
}

function refusal(result: ReturnType<typeof checkEnvelope>): [number, number, JsonObject | null] {
  if (result.era !== 'none') throw new Error(`taken as ${result.era}`)
  return [result.refusal.status, result.refusal.code, result.refusal.data]
}

describe('a request of the new era', () => {
  it('is taken where headers and body agree', () => {
    expect(check({})).toEqual({
      era: 'modern',
      protocolVersion: '2026-07-28',
      clientCapabilities: { roots: {} },
      logLevel: null,
    })
  })

  it.each([
    ['no version header', { protocolVersion: undefined }, 'MCP-Protocol-Version'],
    ['another version header', { protocolVersion: '2025-11-25' }, 'MCP-Protocol-Version'],
    ['no method header', { mcpMethod: undefined }, 'Mcp-Method'],
    ['another method header', { mcpMethod: 'tools/list' }, 'Mcp-Method'],
    ['a method header in other letters', { mcpMethod: 'Tools/Call' }, 'Mcp-Method'],
    ['no name header', { mcpName: undefined }, 'Mcp-Name'],
    ['another name header', { mcpName: 'leads-export' }, 'Mcp-Name'],
    ['a broken base64 name', { mcpName: '=?base64?!!?=' }, 'Mcp-Name'],
  ])(verifies('header-mismatch', 'is refused -32020 with %s'), (_what, head, header) => {
    expect(refusal(check(head))).toEqual([400, -32020, { header }])
  })

  it('may wrap its name in base64', () => {
    const wrapped = `=?base64?${Buffer.from('leads-ü').toString('base64')}?=`
    expect(check({ mcpName: wrapped }, rightMeta, { name: 'leads-ü' }).era).toBe('modern')
  })

  it('repeats the URI of resources/read and the name of prompts/get', () => {
    expect(
      check({ mcpMethod: 'resources/read', mcpName: 'a:b' }, rightMeta, { uri: 'a:b' }, 'resources/read').era,
    ).toBe('modern')
    expect(refusal(check({ mcpMethod: 'prompts/get', mcpName: 'x' }, rightMeta, { name: 'y' }, 'prompts/get'))[1]).toBe(
      -32020,
    )
  })

  it.each([
    ['no _meta', {}, { missing: [version, capabilities] }],
    ['no version', { [capabilities]: {} }, { missing: [version] }],
    ['no capabilities', { [version]: '2026-07-28' }, { missing: [capabilities] }],
    ['a version that is no text', { ...rightMeta, [version]: 7 }, { key: version }],
    ['capabilities that are no object', { ...rightMeta, [capabilities]: [] }, { key: capabilities }],
    [
      'half a client info',
      { ...rightMeta, 'io.modelcontextprotocol/clientInfo': { name: 'x' } },
      { key: 'io.modelcontextprotocol/clientInfo' },
    ],
    [
      'an unknown log level',
      { ...rightMeta, 'io.modelcontextprotocol/logLevel': 'loud' },
      { key: 'io.modelcontextprotocol/logLevel' },
    ],
  ])(verifies('meta-required', 'is refused -32602 with %s'), (_what, meta, data) => {
    expect(refusal(check({}, meta))).toEqual([400, -32602, data])
  })

  it(verifies('version-unsupported', 'of a version that is not served is refused -32022 with what is'), () => {
    const asked = '2027-01-01'
    expect(refusal(check({ protocolVersion: asked }, { ...rightMeta, [version]: asked }))).toEqual([
      400,
      -32022,
      { supported: ['2026-07-28'], requested: asked },
    ])
  })
})

describe('a request of an older revision', () => {
  const legacy = (protocolVersion?: string, method = 'tools/list') =>
    checkEnvelope({ ...emptyHead, protocolVersion }, { kind: 'request', id: 1, method, params: {} })

  it.each([undefined, '2025-11-25', '2025-06-18', '2025-03-26'])('is taken with the version header %s', (header) => {
    expect(legacy(header)).toEqual({ era: 'legacy', protocolVersion: header ?? null })
  })

  it.each(['2024-11-05', '1.0', 'latest', ''])(
    verifies('version-unsupported', 'is refused -32022 with the version header %s'),
    (header) => {
      expect(refusal(legacy(header))).toEqual([
        400,
        -32022,
        { supported: ['2026-07-28', '2025-11-25', '2025-06-18'], requested: header },
      ])
    },
  )

  it('cannot be initialize under a header of the new era', () => {
    expect(refusal(legacy('2026-07-28', 'initialize'))[1]).toBe(-32020)
  })
})
