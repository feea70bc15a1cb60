import { describe, expect, it } from 'vitest'
import { events, harness, hash, request } from '../../test/support/pipeline-harness.ts'
import type { GatewayPorts } from './ports.ts'
import type { ObservedCall } from './shadow-watch.ts'

describe('the pipeline', () => {
  it('makes the decision durable before the act and the outcome durable before the answer', async () => {
    const { gateway, events: order } = harness({})
    const answer = await gateway.perform(request(), events)
    expect(answer.status).toBe('ok')
    expect(order).toEqual(['decision begun', 'decision durable', 'act', 'outcome begun', 'outcome durable'])
  })

  it('runs nothing when the decision cannot be recorded', async () => {
    const { gateway, events: order } = harness({ failOn: 'decision' })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'audit_unavailable' })
    expect(order).toEqual(['decision begun'])
  })

  it('runs nothing when the labels that a call brings cannot be kept, and the outcome says so', async () => {
    const { gateway, events: order, drafts } = harness({ entry: { labels: ['untrusted-input'] }, failOn: 'run' })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'storage_unavailable' })
    expect(order).not.toContain('act')
    // What would have come in did not, but whoever asks for it again is decided as if it had.
    expect(drafts[1]).toMatchObject({
      outcome: { detail: 'nothing was run: storage_unavailable', labelsAfter: ['untrusted-input'] },
    })
    await gateway.perform(request(), events)
    expect(drafts[2]).toMatchObject({ kind: 'decision', pre: { labelsBefore: ['untrusted-input'] } })
  })

  it('withholds the output when the outcome cannot be recorded', async () => {
    const { gateway } = harness({
      failOn: 'outcome',
      act: async () => ({ status: 'ok', result: { content: [{ type: 'text', text: 'the output' }] } }),
    })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'audit_unavailable' })
    expect(JSON.stringify(answer)).not.toContain('the output')
  })

  it('records a denial before it answers it, with the reason, and runs nothing', async () => {
    const { gateway, events: order, drafts } = harness({ effect: 'deny' })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'denied', message: 'Because.', rules: ['a.cedar#1'] })
    expect(order).toEqual(['decision begun', 'decision durable'])
    expect(drafts[0]).toMatchObject({ kind: 'decision', decision: { effect: 'deny', basis: 'forbid' } })
  })

  it('answers a hidden tool exactly like one that does not exist, even when its arguments are wrong', async () => {
    const hidden = harness({ visible: false, problems: [{ path: '/text', message: 'is wrong' }] })
    const there = await hidden.gateway.perform(request(), events)
    const missing = await hidden.gateway.perform(
      request({ kind: 'call', tool: 'notes-nope', arguments: {}, resume: null }),
      events,
    )
    expect({ ...there, call: '' }).toEqual({ ...missing, call: '' })
    expect(there.status).toBe('unknown')
    expect(hidden.events).not.toContain('act')
  })

  it('refuses arguments that break the schema, says which, and keeps their content out of the record', async () => {
    const { gateway, drafts, events: order } = harness({ problems: [{ path: '/text', message: 'must be string' }] })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'invalid', problems: [{ path: '/text', message: 'must be string' }] })
    expect(order).not.toContain('act')
    const [draft] = drafts
    expect(draft).toMatchObject({ decision: { effect: 'deny', basis: 'error' } })
    expect(JSON.stringify({ ...draft, bodies: null })).not.toContain('hi')
  })

  it('reports a backend that throws, records that what it did is not known, and tells the caller nothing of it', async () => {
    const { gateway, drafts, reported } = harness({ act: () => Promise.reject(new Error('secret detail')) })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'internal' })
    expect(JSON.stringify(answer)).not.toContain('secret detail')
    expect(drafts[1]).toMatchObject({ kind: 'outcome', outcome: { status: 'protocol-error' } })
    expect(reported).toHaveLength(1)
  })

  it('replaces a result over the limit by a tool error that says so', async () => {
    const { gateway, drafts } = harness({
      act: async () => ({ status: 'ok', result: { content: [{ type: 'text', text: 'x'.repeat(2000) }] } }),
    })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'ok', result: { isError: true } })
    expect(drafts[1]).toMatchObject({ outcome: { status: 'limit', detail: 'result: 1000 bytes reached' } })
  })

  it('withholds a structured result that breaks the output schema', async () => {
    const { gateway } = harness({
      entry: { outputSchema: { type: 'object', required: ['total'] } },
      act: async () => ({ status: 'ok', result: { content: [{ type: 'text', text: 'raw output' }] } }),
    })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'ok', result: { isError: true } })
    expect(JSON.stringify(answer)).not.toContain('raw output')
  })

  it('answers overloaded above the bound on concurrent calls, and takes calls again afterwards', async () => {
    let release: () => void = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const { gateway } = harness({ maxConcurrentCalls: 1, act: async () => (await gate, { status: 'ok', result: {} }) })
    const first = gateway.perform(request(), events)
    expect(await gateway.perform(request(), events)).toMatchObject({ status: 'unavailable', code: 'overloaded' })
    release()
    expect((await first).status).toBe('ok')
    expect((await gateway.perform(request(), events)).status).toBe('ok')
  })

  it('takes management while calls fill every place, so that whoever fills them can be revoked', async () => {
    const gate = Promise.withResolvers<undefined>()
    const { gateway } = harness({
      maxConcurrentCalls: 1,
      act: async () => (await gate.promise, { status: 'ok', result: {} }),
    })
    const first = gateway.perform(request(), events)
    const revocation = request({ kind: 'manage', operation: 'agent.revoke', arguments: {} })
    expect(await gateway.perform({ ...revocation, door: 'management' }, events)).toMatchObject({ status: 'ok' })
    gate.resolve(undefined)
    await first
  })

  it('judges no arguments for a caller who may not know of the tool, so that time tells nothing', async () => {
    const hidden = harness({ visible: false })
    expect(await hidden.gateway.perform(request(), events)).toMatchObject({ status: 'unknown' })
    expect(hidden.judged).toEqual([])
    expect(hidden.drafts[0]).toMatchObject({ decision: { effect: 'deny', basis: 'default-deny', policySetHash: hash } })
    const shown = harness({ visible: true })
    await shown.gateway.perform(request(), events)
    expect(shown.judged).toEqual(['policy'])
  })
})

describe('policies that are tried', () => {
  /** Writes down what it is shown; `broken` throws besides. */
  function watching(broken = false): { shadow: GatewayPorts['shadow']; seen: ObservedCall[] } {
    const seen: ObservedCall[] = []
    const shadow = {
      watches: (namespace: string) => namespace === 'demo',
      observe: (observed: ObservedCall) => {
        seen.push(observed)
        if (broken) throw new Error('the shadow broke')
      },
    }
    return { shadow, seen }
  }

  it('are shown a call with the decision in force, once that is durable', async () => {
    const { shadow, seen } = watching()
    const { gateway, drafts } = harness({ shadow, effect: 'deny' })
    const { call } = await gateway.perform(request(), events)
    expect(seen).toMatchObject([
      { call, request: { action: 'call', arguments: { text: 'hi' } }, decision: { effect: 'deny' } },
    ])
    expect(drafts).toMatchObject([{ kind: 'decision', decision: { effect: 'deny' } }])
    const failing = harness({ shadow, failOn: 'decision' })
    await failing.gateway.perform(request(), events)
    expect(seen).toHaveLength(1)
  })

  it('are shown no decision on what is hidden, and nothing of what policy is never asked about', async () => {
    const { shadow, seen } = watching()
    await harness({ shadow, visible: false }).gateway.perform(request(), events)
    expect(seen).toMatchObject([{ decision: null }])
    await harness({ shadow, problems: [{ path: '', message: 'wrong' }] }).gateway.perform(request(), events)
    const nothing = request({ kind: 'call', tool: 'notes-nope', arguments: {}, resume: null })
    await harness({ shadow }).gateway.perform(nothing, events)
    expect(seen).toHaveLength(1)
  })

  it('change nothing when they break: the call goes on as decided, and the operator is told', async () => {
    const { shadow, seen } = watching(true)
    const { gateway, events: order, reported } = harness({ shadow })
    expect(await gateway.perform(request(), events)).toMatchObject({ status: 'ok' })
    expect(order).toEqual(['decision begun', 'decision durable', 'act', 'outcome begun', 'outcome durable'])
    expect([seen.length, String(reported[0])]).toEqual([1, 'Error: the shadow broke'])
  })
})

describe('an invariant', () => {
  const sandbox = { engine: 'jail', profile: 'p', profileHash: hash }

  it('that fails is recorded, reported, and keeps the output back', async () => {
    const { gateway, drafts, reported } = harness({
      entry: { runtime: 'python' },
      act: async () => ({ status: 'ok', result: { content: [{ type: 'text', text: 'the output' }] }, sandbox }),
    })
    const answer = await gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'internal' })
    expect(JSON.stringify(answer)).not.toContain('the output')
    expect(drafts[1]).toMatchObject({
      outcome: {
        bytesOut: 0,
        invariants: [{ id: 'sandbox-profile', pass: false }, { id: 'sandbox-confined', pass: false }, {}],
      },
      bodies: { output: { json: expect.stringContaining('the output') } },
    })
    expect(drafts[2]).toMatchObject({
      kind: 'quarantine',
      event: { type: 'quarantined', outcome: '1', invariants: [{ id: 'sandbox-profile' }, { id: 'sandbox-confined' }] },
    })
    expect(reported).toHaveLength(1)
  })
})
