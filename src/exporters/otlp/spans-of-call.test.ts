import { describe, expect, it } from 'vitest'
import { explainCall, type StoredRecord } from '../../audit/index.ts'
import { presetSpans, type PresetName } from './presets.ts'
import { spansOfCall, type EndedCall } from './spans-of-call.ts'
import { readTraceparent, spanIdOf, traceIdOf } from './trace-context.ts'

const time = '2026-01-02T03:04:05.000Z'
const decision = {
  kind: 'decision',
  id: 'record4',
  call: 'call1',
  namespace: 'demo',
  run: 'run1',
  parent_call: null,
  trace: null,
  time,
  mcp: { method: 'tools/call' },
  pre: {
    principal: { type: 'agent', id: 'demo/analyst', groups: [] },
    authn: { method: 'api-key', credential_id: 'k1' },
    client: { address: '192.0.2.1', claimed_name: null },
    door: 'tool',
    target: { service: 'leads', tool: 'leads-export', definition_hash: 'sha256:bb', code_hash: null },
    labels_before: [],
  },
  decision: {
    effect: 'allow',
    basis: 'permit',
    determining: [{ id: 'leads.cedar#may', effect: 'permit', reason: 'Analysts may.' }],
    errors: [],
    obligations: [],
    policy_set_hash: 'sha256:aa',
    engine: { name: 'cedar', version: '4.13.0' },
    duration_us: 250,
  },
}
const outcome = {
  kind: 'outcome',
  id: 'record5',
  call: 'call1',
  namespace: 'demo',
  time: '2026-01-02T03:04:06.000Z',
  outcome: { status: 'ok', detail: null, duration_ms: 900, inner_calls: 0, bytes_out: 12, labels_after: ['pii'] },
}

type Changes = { readonly decision?: object; readonly outcome?: object | null; readonly trace?: string | null }

function ended({ decision: changed = {}, outcome: last = outcome, trace = null }: Changes = {}): EndedCall {
  const first = { ...decision, trace, ...changed }
  const records = (last === null ? [first] : [first, last]).map((record, at) => ({
    index: 4 + at,
    id: (record as typeof decision).id,
    timeMs: 0,
    namespace: 'demo',
    kind: (record as typeof decision).kind as StoredRecord['kind'],
    call: 'call1',
    json: JSON.stringify(record),
  }))
  const explained = explainCall({ records, input: null, output: null, proof: null })
  return { explained, protocolVersion: '2026-07-28', requestId: '7', outermost: 'call1' }
}
const denied = {
  decision: {
    ...decision.decision,
    effect: 'deny',
    basis: 'forbid',
    determining: [{ id: 'leads.cedar#no-bulk', effect: 'forbid', reason: 'Too many.' }],
  },
}

describe('a call as spans', () => {
  it('is a server span by the MCP conventions, with what decided it below', () => {
    const { call, decision: decided } = spansOfCall(ended())
    expect(call).toMatchObject({
      traceId: traceIdOf('call1'),
      spanId: spanIdOf('call', 'call1'),
      parentSpanId: null,
      name: 'tools/call leads-export',
      kind: 'server',
      startNs: BigInt(Date.parse(time)) * 1_000_000n - 250_000n,
      endNs: BigInt(Date.parse(outcome.time)) * 1_000_000n,
      error: null,
    })
    expect(call.attributes).toMatchObject({
      'mcp.method.name': 'tools/call',
      'mcp.protocol.version': '2026-07-28',
      'jsonrpc.request.id': '7',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'leads-export',
      'client.address': '192.0.2.1',
      'session.id': 'run1',
      'user.id': 'demo/analyst',
      'mcpworks.outcome.status': 'ok',
      'mcpworks.labels': ['pii'],
      'mcpworks.record.id': 'record5',
      'mcpworks.record.leaf_index': 5,
    })
    expect(decided).toMatchObject({
      traceId: call.traceId,
      parentSpanId: call.spanId,
      name: 'policy.decide',
      kind: 'internal',
      startNs: call.startNs,
      endNs: BigInt(Date.parse(time)) * 1_000_000n,
      attributes: {
        'mcpworks.decision.effect': 'allow',
        'mcpworks.decision.basis': 'permit',
        'mcpworks.decision.rules': ['leads.cedar#may'],
        'mcpworks.decision.reasons': ['Analysts may.'],
        'mcpworks.decision.policy_set_hash': 'sha256:aa',
        'mcpworks.decision.duration_us': 250,
        'mcpworks.record.id': 'record4',
        'mcpworks.record.leaf_index': 4,
      },
    })
  })

  it('gives the same spans each time, and others to other calls', () => {
    expect(spansOfCall(ended())).toEqual(spansOfCall(ended()))
    const other = spansOfCall(ended({ decision: { call: 'call2', id: 'record9' } }))
    expect(other.call.spanId).not.toBe(spansOfCall(ended()).call.spanId)
    expect(other.decision.spanId).not.toBe(spansOfCall(ended()).decision.spanId)
  })

  it('says of a refusal that, and why', () => {
    const { call } = spansOfCall(ended({ decision: denied, outcome: null }))
    expect(call.error).toBe('Too many.')
    expect(call.attributes).toMatchObject({ 'error.type': 'denied', 'mcpworks.decision.effect': 'deny' })
    expect(call.endNs).toBe(BigInt(Date.parse(time)) * 1_000_000n)
  })

  it('says of a failure of which class it is, by the words of the conventions', () => {
    const failed = { ...outcome, outcome: { ...outcome.outcome, status: 'tool-error' } }
    const { call } = spansOfCall(ended({ outcome: failed }))
    expect(call.attributes['error.type']).toBe('tool_error')
    expect(call.error).toBe('tool_error: permit')
  })

  it('hangs below the span of the caller, where that sent one', () => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const { call, decision: decided } = spansOfCall(ended({ trace }))
    expect([call.traceId, call.parentSpanId]).toEqual(['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'])
    expect(decided.traceId).toBe(call.traceId)
    const inner = spansOfCall(ended({ trace, decision: { call: 'call2', parent_call: 'call1' } }))
    expect(inner.call).toMatchObject({ parentSpanId: call.spanId, traceId: call.traceId, kind: 'internal' })
  })

  it('is in the trace of the outermost call, where the caller sent none', () => {
    const inner = spansOfCall({ ...ended({ decision: { call: 'call3', parent_call: 'call2' } }), outermost: 'call1' })
    expect(inner.call).toMatchObject({ traceId: traceIdOf('call1'), parentSpanId: spanIdOf('call', 'call2') })
  })

  it('has no name of a tool that nobody knows in its own', () => {
    const pre = { ...decision.pre, target: { ...decision.pre.target, tool: 'guess-1', definition_hash: null } }
    const { call } = spansOfCall(ended({ decision: { ...denied, pre }, outcome: null }))
    expect(call.name).toBe('tools/call')
    expect(call.attributes['gen_ai.tool.name']).toBe('guess-1')
  })

  it('never ends before it began, whatever the clock did', () => {
    const { call } = spansOfCall(ended({ outcome: { ...outcome, time: '2025-01-01T00:00:00.000Z' } }))
    expect(call.endNs).toBe(BigInt(Date.parse(time)) * 1_000_000n)
  })
})

describe('the presets', () => {
  const attributes = (name: PresetName, changes: Changes = {}) => {
    const call = ended(changes)
    const [whole, decided] = presetSpans(name, call.explained, spansOfCall(call))
    return [whole?.attributes ?? {}, decided?.attributes ?? {}] as const
  }

  it('make the decision a guardrail for Langfuse, with user and session on each span', () => {
    const [call, decided] = attributes('langfuse', { decision: denied, outcome: null })
    expect(call).toMatchObject({
      'langfuse.observation.type': 'tool',
      'langfuse.observation.level': 'WARNING',
      'langfuse.observation.status_message': 'Too many.',
    })
    expect(decided).toMatchObject({ 'langfuse.observation.type': 'guardrail', 'langfuse.observation.level': 'WARNING' })
    for (const span of [call, decided])
      expect(span).toMatchObject({
        'langfuse.user.id': 'demo/analyst',
        'langfuse.session.id': 'run1',
        'langfuse.trace.tags': ['namespace:demo', 'door:tool'],
        'langfuse.observation.metadata.effect': 'deny',
        'langfuse.observation.metadata.rules': 'leads.cedar#no-bulk',
      })
  })

  it('make the decision a chain for LangSmith', () => {
    const [call, decided] = attributes('langsmith')
    expect(call).toMatchObject({
      'langsmith.span.kind': 'tool',
      'langsmith.trace.name': 'tools/call leads-export',
      'langsmith.metadata.session_id': 'run1',
      'langsmith.span.tags': 'namespace:demo,door:tool',
    })
    expect(decided).toMatchObject({ 'langsmith.span.kind': 'chain', 'langsmith.trace.name': 'policy.decide' })
  })

  it('make the decision a guardrail for Phoenix, by OpenInference', () => {
    const [call, decided] = attributes('phoenix')
    expect(call).toMatchObject({ 'openinference.span.kind': 'TOOL', 'tool.name': 'leads-export', 'session.id': 'run1' })
    expect(decided).toMatchObject({
      'openinference.span.kind': 'GUARDRAIL',
      'tag.tags': ['namespace:demo', 'door:tool'],
    })
    expect(JSON.parse(String(decided.metadata))).toMatchObject({ effect: 'allow', status: 'ok' })
  })

  it('add nothing to the conventions unless asked', () => {
    expect(Object.keys(attributes('generic')[0]).filter((name) => /^(lang|openinference)/.test(name))).toEqual([])
  })
})

describe('a traceparent', () => {
  const [trace, parent] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

  it('is read where it is one', () => {
    expect(readTraceparent(`00-${trace}-${parent}-01`)).toEqual({ traceId: trace, spanId: parent })
    expect(readTraceparent(`01-${trace}-${parent}-01-more`)).toEqual({ traceId: trace, spanId: parent })
  })

  it.each([
    null,
    '',
    'sk-live-secret',
    `00-${trace}-${parent}`,
    `00-${trace}-${parent}-01-more`,
    `ff-${trace}-${parent}-01`,
    `00-${trace.toUpperCase()}-${parent}-01`,
    `00-${'0'.repeat(32)}-${parent}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace}-${parent}-01\n`,
  ])('is none that is malformed: %j', (text) => {
    expect(readTraceparent(text)).toBeNull()
  })
})
