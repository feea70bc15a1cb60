import { describe, expect, it } from 'vitest'
import type { DecisionLog, RecordDraft } from '../audit/index.ts'
import { digestJson, McpworksError, type BodyLevel, type JsonObject } from '../kernel/index.ts'
import type { PolicyDecision, PolicyEngine } from '../policy/index.ts'
import type { ActOutcome, Backend } from './backend.ts'
import type { CatalogueEntry } from './catalogue.ts'
import { createGateway } from './create-gateway.ts'
import { createRunLedger } from './runs/run-ledger.ts'
import { UsageBook } from './usage/usage-book.ts'
import type { GatewayRequest } from './gateway.ts'
import type { GatewayAnswer } from './gateway-answer.ts'
import { createMemoryCatalogue } from './memory-catalogue.ts'
import type { GatewayPorts } from './ports.ts'
import type { ObservedCall } from './shadow-watch.ts'

const definition: JsonObject = { name: 'notes-add', inputSchema: { type: 'object' } }
const hash = digestJson('x')

/** A gateway over ports that write down what happens, in order. */
function harness(options: {
  effect?: 'allow' | 'deny'
  visible?: boolean
  failOn?: 'decision' | 'outcome' | 'run'
  problems?: { path: string; message: string }[]
  act?: (...given: Parameters<Backend['act']>) => Promise<ActOutcome>
  entry?: Partial<CatalogueEntry>
  maxConcurrentCalls?: number
  revoked?: boolean
  onManage?: () => void
  engineInput?: string
  /** What policies say, and what the namespace says. */
  recordLevel?: BodyLevel
  ownLevel?: BodyLevel
  shadow?: GatewayPorts['shadow']
}) {
  const events: string[] = []
  const drafts: RecordDraft[] = []
  const reported: unknown[] = []
  const judged: string[] = []
  const withdrawn = { now: false }
  const listeners = new Set<() => void>()
  const changes = (listener: () => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const log: DecisionLog = {
    async append(draft) {
      events.push(`${draft.kind} begun`)
      await Promise.resolve()
      if (draft.kind === options.failOn) throw new McpworksError('audit_unavailable')
      drafts.push(draft)
      events.push(`${draft.kind} durable`)
      return { id: '1', namespace: draft.namespace, index: drafts.length - 1 }
    },
    read: async ({ call, kinds = [] }) =>
      drafts
        .filter((draft) => draft.call === call && kinds.includes(draft.kind))
        .map(({ namespace, kind, call: of }) => ({
          index: 0,
          id: '1',
          timeMs: 0,
          namespace,
          kind,
          call: of,
          json: '{}',
        })),
    readBody: async () => null,
    health: () => ({ ok: true }),
    recheck: async () => ({ ok: true }),
    close: async () => {},
  }
  const decision: PolicyDecision = {
    effect: options.effect ?? 'allow',
    basis: (options.effect ?? 'allow') === 'allow' ? 'permit' : 'forbid',
    engine: { name: 'cedar', version: '0' },
    policySetHash: hash,
    schemaHash: hash,
    entitiesHash: hash,
    requestHash: hash,
    determining: [
      {
        id: 'a.cedar#1',
        effect: options.effect === 'deny' ? 'forbid' : 'permit',
        textHash: hash,
        reason: 'Because.',
        remedy: null,
      },
    ],
    errors: [],
    obligations: [],
    recordLevel: options.recordLevel ?? null,
    derived: null,
    spend: 0,
    durationUs: 1,
    engineInput: options.engineInput ?? '{}',
  }
  const policy = {
    decide: () => {
      judged.push('policy')
      return decision
    },
    isVisible: () => options.visible ?? true,
    policySetHash: () => hash,
    recordLevel: () => options.recordLevel ?? null,
  } as Partial<PolicyEngine> as PolicyEngine
  const catalogue = createMemoryCatalogue()
  const entry: CatalogueEntry = {
    kind: 'tool',
    namespace: 'demo',
    service: 'notes',
    name: 'notes-add',
    definition,
    definitionHash: digestJson(definition),
    inputSchema: { type: 'object' },
    outputSchema: null,
    codeHash: null,
    runtime: null,
    backend: {
      act: async (...given) => {
        events.push('act')
        return options.act === undefined ? { status: 'ok', result: { content: [] } } : options.act(...given)
      },
    },
    ...options.entry,
  }
  catalogue.replaceService('demo', 'notes', [entry])
  const ports: GatewayPorts = {
    catalogue,
    policy,
    decisionLog: log,
    schemas: { check: () => options.problems ?? [] },
    management: {
      async act() {
        options.onManage?.()
        return { status: 'ok', result: { apiKey: 'shown once' } }
      },
    },
    sandbox: () => null,
    notify: () => {},
    recording: { level: () => options.ownLevel ?? 'request_response' },
    refresh: (caller) => (options.revoked === true ? null : caller),
    runs: createRunLedger({
      clock: { nowMs: () => 1_800_000_000_000, monotonicMs: () => 5 },
      idleMs: 60_000,
      store: {
        load: async () => [],
        async save() {
          if (options.failOn === 'run') throw new McpworksError('storage_unavailable')
        },
        forgetBefore: async () => {},
      },
      onFailure: (error) => reported.push(error),
    }),
    usage: new UsageBook({
      time: { nowMs: () => 1_800_000_000_000 },
      store: { find: async () => [] },
      maxCounters: 100,
    }),
    shadow: options.shadow ?? { watches: () => false, observe: () => {} },
    withdrawals: { isWithdrawn: () => withdrawn.now, isClosed: () => false, onChange: (listener) => changes(listener) },
    approvals: { seek: () => Promise.reject(new Error('nothing asks for approval here')), about: async () => null },
    clock: { nowMs: () => 1_800_000_000_000, monotonicMs: () => 5 },
    config: {
      maxConcurrentCalls: options.maxConcurrentCalls ?? 8,
      maxInnerCalls: 3,
      maxResultBytes: 1000,
      runIdleSeconds: 60,
      maxUsageCounters: 1000,
      auditLevel: 'request_response',
      auditBodyDays: 'forever',
      auditRecordDays: 'forever',
      maxAuditBodyBytes: 200,
      notifications: { secret: '', networks: [], channels: [], alerts: [] },
    },
  }
  const gateway = createGateway(ports, (_call, error) => reported.push(error))
  const withdraw = (): void => {
    withdrawn.now = true
    for (const listener of listeners) listener()
  }
  return { gateway, events, drafts, reported, judged, catalogue, withdraw }
}

function request(
  effect: GatewayRequest['effect'] = { kind: 'call', tool: 'notes-add', arguments: { text: 'hi' }, resume: null },
): GatewayRequest {
  return {
    caller: {
      principal: { type: 'agent', id: 'demo/writer', name: 'writer', namespace: 'demo', groups: [] },
      authentication: {
        method: 'api-key',
        credentialId: 'k',
        senderConstrained: false,
        expiresAtMs: null,
        scopes: ['mcp'],
      },
      client: { address: '127.0.0.1', claimedName: null },
    },
    namespace: 'demo',
    door: 'tool',
    effect,
    facts: { method: 'tools/call', protocolVersion: '2026-07-28', requestId: '1', trace: null, clientCapabilities: {} },
  }
}

const events = { signal: new AbortController().signal, log: () => {}, progress: () => {} }

describe('what is kept beside the records', () => {
  it.each([
    ['request_response', null, [true, true, true]],
    ['request_response', 'request', [true, true, false]],
    ['request_response', 'metadata', [false, false, false]],
    ['request', null, [true, true, false]],
    ['request', 'request_response', [true, true, false]],
    ['metadata', 'request', [false, false, false]],
  ] as const)(
    'is the least of what the namespace (%s) and the policies (%s) say',
    async (ownLevel, recordLevel, kept) => {
      const { drafts, gateway } = harness({ ownLevel, ...(recordLevel === null ? {} : { recordLevel }) })
      await gateway.perform(request(), events)
      const [decision, outcome] = drafts
      if (decision?.kind !== 'decision' || outcome?.kind !== 'outcome') throw new Error('two records are due')
      const bodies = [decision.bodies.input, decision.bodies.engineInput, outcome.bodies.output]
      expect(bodies.map((body) => body !== null)).toEqual(kept)
    },
  )

  it('is nothing of arguments that break the schema, where a policy in scope says so', async () => {
    const problems = [{ path: '/a', message: 'is wrong' }]
    const strict = harness({ problems, recordLevel: 'metadata' })
    await strict.gateway.perform(request(), events)
    expect(strict.drafts[0]).toMatchObject({ bodies: { input: null } })
    const open = harness({ problems })
    await open.gateway.perform(request(), events)
    expect(open.drafts[0]).toMatchObject({ bodies: { input: { json: '{"text":"hi"}' } } })
  })
})

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

  it('records who issued the token, to which client, and who acts with it for whom', async () => {
    const { gateway, drafts } = harness({})
    const plain = request()
    const token = { issuer: 'https://mcp.example.org', clientId: 'ci', tokenId: 't', actors: ['demo/b', 'demo/a'] }
    const authentication = { ...plain.caller.authentication, method: 'access-token' as const, token }
    await gateway.perform({ ...plain, caller: { ...plain.caller, authentication } }, events)
    await gateway.perform(plain, events)
    expect(drafts.filter(({ kind }) => kind === 'decision')).toMatchObject([
      {
        pre: {
          principal: { id: 'demo/writer', onBehalfOf: ['demo/a', 'demo/writer'] },
          authn: { token: { issuer: 'https://mcp.example.org', clientId: 'ci', actors: ['demo/b', 'demo/a'] } },
        },
      },
      { pre: { principal: { id: 'demo/writer', onBehalfOf: [] }, authn: { method: 'api-key' } } },
    ])
  })

  it('records by which key the caller was known and a keyed digest of the token, and not what the token is called', async () => {
    const { gateway, drafts } = harness({})
    const plain = request()
    const token = { issuer: 'i', clientId: null, tokenId: 'canary-jti', tokenIdHmac: 'hmac-sha256:0', actors: [] }
    const bound = { method: 'access-token' as const, binding: 'dpop' as const, keyThumbprint: 'jkt', token }
    const authentication = { ...plain.caller.authentication, ...bound }
    await gateway.perform({ ...plain, caller: { ...plain.caller, authentication } }, events)
    expect(drafts[0]).toMatchObject({ pre: { authn: { keyThumbprint: 'jkt', token: { idHmac: 'hmac-sha256:0' } } } })
    expect(JSON.stringify(drafts)).not.toContain('canary-jti')
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

  it('keeps the output of management operations out of the record: it may hold a secret', async () => {
    const { gateway, drafts } = harness({})
    const answer = await gateway.perform(request({ kind: 'manage', operation: 'key.create', arguments: {} }), events)
    expect(answer).toMatchObject({ status: 'ok', result: { apiKey: 'shown once' } })
    expect(JSON.stringify(drafts)).not.toContain('shown once')
  })

  it('replaces a body over the audit limit by its size and digest', async () => {
    const { gateway, drafts } = harness({})
    await gateway.perform(
      request({ kind: 'call', tool: 'notes-add', arguments: { text: 'y'.repeat(500) }, resume: null }),
      events,
    )
    expect(drafts[0]).toMatchObject({
      kind: 'decision',
      bodies: { input: { json: expect.stringContaining('"omitted"') } },
    })
    expect(JSON.stringify(drafts)).not.toContain('yyyy')
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

  it('keeps no more of the engine input than of any other body', async () => {
    const { gateway, drafts } = harness({ engineInput: JSON.stringify('z'.repeat(5000)) })
    await gateway.perform(request(), events)
    expect(drafts[0]).toMatchObject({ bodies: { engineInput: { json: expect.stringContaining('"omitted"') } } })
    expect(JSON.stringify(drafts)).not.toContain('zzzz')
  })

  it('writes no more than a name into the record, whatever a completion is asked for', async () => {
    const { gateway, drafts } = harness({})
    const ref: JsonObject = { type: 'ref/prompt', name: 'notes', more: 'w'.repeat(5000) }
    await gateway.perform(request({ kind: 'complete', ref, argument: {}, context: null }), events)
    expect(drafts[0]).toMatchObject({ pre: { target: { tool: 'notes' } } })
    await gateway.perform(request({ kind: 'read', uri: `x:${'v'.repeat(5000)}`, resume: null }), events)
    const [, second] = drafts.filter((draft) => draft.kind === 'decision')
    expect(second?.pre.target.tool).toHaveLength(515)
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

  it('keeps one run for a principal, whatever credential it comes with, and another for another principal', async () => {
    const { gateway, drafts } = harness({})
    const other = request()
    await gateway.perform(request(), events)
    await gateway.perform(request(), events)
    await gateway.perform(
      { ...other, caller: { ...other.caller, authentication: { ...other.caller.authentication, credentialId: 'k2' } } },
      events,
    )
    await gateway.perform(
      { ...other, caller: { ...other.caller, principal: { ...other.caller.principal, id: 'demo/reader' } } },
      events,
    )
    const runs = drafts.filter((draft) => draft.kind === 'decision').map((draft) => draft.run)
    expect(runs[0]).toBe(runs[1])
    expect(runs[2]).toBe(runs[0])
    expect(runs[3]).not.toBe(runs[0])
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

describe('a caller', () => {
  it('whose credential was revoked since the door gets nothing, and nothing is run or recorded', async () => {
    const { gateway, events: order } = harness({ revoked: true })
    expect(await gateway.perform(request(), events)).toMatchObject({
      status: 'unavailable',
      code: 'credential_invalid',
    })
    expect(order).toEqual([])
    expect(gateway.list(request().caller, 'demo', 'tool')).toEqual([])
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

describe('lists', () => {
  it('leave out what policy hides', () => {
    const caller = request().caller
    expect(harness({ visible: true }).gateway.list(caller, 'demo', 'tool')).toEqual([definition])
    expect(harness({ visible: false }).gateway.list(caller, 'demo', 'tool')).toEqual([])
  })

  it('follow a change of the catalogue at once', () => {
    const { gateway, catalogue } = harness({})
    const caller = request().caller
    gateway.list(caller, 'demo', 'tool')
    catalogue.replaceService('demo', 'notes', [])
    expect(gateway.list(caller, 'demo', 'tool')).toEqual([])
  })

  it('close the namespace to agents of another one', () => {
    const { gateway } = harness({})
    const { caller } = request()
    expect(gateway.mayEnter(caller, 'demo')).toBe(true)
    expect(gateway.mayEnter({ ...caller, principal: { ...caller.principal, namespace: 'other' } }, 'demo')).toBe(false)
    expect(gateway.mayEnter(caller, 'nowhere')).toBe(false)
  })
})

describe('a call that running code makes', () => {
  const own = new AbortController().signal
  const done: ActOutcome = { status: 'ok', result: { content: [] } }

  it('is a call of its own: decided, recorded with its parent in the same run, and counted in the outcome of that', async () => {
    const depths: number[] = []
    const { gateway, drafts } = harness({
      entry: { calls: ['notes-add'] },
      async act({ depth }, _events, callTool) {
        depths.push(depth)
        if (depth === 0) expect(await callTool('notes-add', { text: 'inner' }, own)).toMatchObject({ status: 'ok' })
        return done
      },
    })
    const { call } = await gateway.perform(request(), events)
    expect(depths).toEqual([0, 1])
    expect(drafts.map(({ kind, parentCall }) => [kind, parentCall])).toEqual([
      ['decision', null],
      ['decision', call],
      ['outcome', call],
      ['outcome', null],
    ])
    expect(new Set(drafts.map(({ run }) => run)).size).toBe(1)
    expect(drafts[1]).toMatchObject({
      pre: { door: 'code', principal: { id: 'demo/writer' } },
      mcp: { method: 'tools/call', requestId: null },
    })
    expect(drafts.flatMap((draft) => (draft.kind === 'outcome' ? [draft.outcome.innerCalls] : []))).toEqual([0, 1])
  })

  it('is refused and recorded where the definition does not declare it, before policy is asked', async () => {
    const answers: GatewayAnswer[] = []
    const { gateway, drafts, judged } = harness({
      async act(_invocation, _events, callTool) {
        answers.push(await callTool('notes-add', {}, own), await callTool('notes-none', {}, own))
        return done
      },
    })
    await gateway.perform(request(), events)
    expect(answers).toMatchObject([{ status: 'denied' }, { status: 'denied' }])
    expect(answers.map((answer) => ('message' in answer ? answer.message.replace('none', 'add') : ''))).toEqual(
      Array(2).fill(
        'This function does not declare that it calls notes-add: its author names the tools it may call under "calls" in service.yaml.',
      ),
    )
    expect(judged).toEqual(['policy'])
    expect(drafts.map(({ kind }) => kind)).toEqual(['decision', 'decision', 'decision', 'outcome'])
    expect(drafts[1]).toMatchObject({ decision: { effect: 'deny', basis: 'barred' } })
  })

  it('may cause others, and all that one call causes are counted together', async () => {
    const answers: GatewayAnswer[] = []
    const { gateway } = harness({
      entry: { calls: ['notes-add'] },
      async act({ depth }, _events, callTool) {
        if (depth < 2) for (const _ of [1, 2]) answers.push(await callTool('notes-add', {}, own))
        return done
      },
    })
    await gateway.perform(request(), events)
    expect(answers.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'unavailable'])
    expect(answers.at(-1)).toMatchObject({
      code: 'overloaded',
      message: 'One call may cause 3 others, and has (gateway.maxInnerCalls).',
    })
  })

  it('has a place of its own where every place for calls of agents is taken', async () => {
    const { gateway } = harness({
      maxConcurrentCalls: 1,
      entry: { calls: ['notes-add'] },
      async act({ depth }, _events, callTool) {
        if (depth < 3) expect(await callTool('notes-add', {}, own)).toMatchObject({ status: 'ok' })
        return done
      },
    })
    expect(await gateway.perform(request(), events)).toMatchObject({ status: 'ok' })
  })

  it('is called off when the call that made it has acted, and its outcome is recorded first', async () => {
    const { gateway, drafts } = harness({
      entry: { calls: ['notes-add'] },
      async act({ depth }, { signal }, callTool) {
        if (depth === 0) {
          void callTool('notes-add', {}, own)
          return done
        }
        const stopped: ActOutcome = { status: 'killed', result: { content: [] }, detail: 'cancelled' }
        return await new Promise((resolve) =>
          signal.aborted ? resolve(stopped) : signal.addEventListener('abort', () => resolve(stopped)),
        )
      },
    })
    await gateway.perform(request(), events)
    expect(drafts.flatMap((draft) => (draft.kind === 'outcome' ? [draft.outcome.status] : []))).toEqual([
      'killed',
      'ok',
    ])
  })

  it('is refused where the credential was revoked while the code ran', async () => {
    const options: Parameters<typeof harness>[0] = {
      entry: { calls: ['notes-add'] },
      async act(_invocation, _events, callTool) {
        options.revoked = true
        expect(await callTool('notes-add', {}, own)).toMatchObject({
          status: 'unavailable',
          code: 'credential_invalid',
        })
        return done
      },
    }
    expect(await harness(options).gateway.perform(request(), events)).toMatchObject({ status: 'ok' })
  })
})

describe('a caller that is disabled while its call', () => {
  it('runs has it cut off, and gets nothing of its output', async () => {
    const here = harness({
      async act(_invocation, { signal }) {
        const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
        here.withdraw()
        await aborted
        return { status: 'ok', result: { content: [{ type: 'text', text: 'the output' }] } }
      },
    })
    const answer = await here.gateway.perform(request(), events)
    expect(answer).toMatchObject({ status: 'unavailable', code: 'credential_invalid' })
    expect(JSON.stringify(answer)).not.toContain('the output')
    expect(here.drafts.map((draft) => draft.kind)).toEqual(['decision', 'outcome'])
  })

  it('is being recorded has nothing run, and an outcome that says so', async () => {
    const here = harness({ effect: 'allow' })
    const answer = here.gateway.perform(request(), events)
    here.withdraw()
    expect(await answer).toMatchObject({ status: 'unavailable', code: 'credential_invalid' })
    expect(here.events).not.toContain('act')
    expect(here.drafts[1]).toMatchObject({ outcome: { detail: 'nothing was run: credential_invalid' } })
  })

  it('manages is told what was done: it may have been to revoke its own key', async () => {
    const here = harness({ onManage: () => here.withdraw() })
    const effect = { kind: 'manage', operation: 'key.revoke', arguments: {} } as const
    expect(await here.gateway.perform(request(effect), events)).toMatchObject({ status: 'ok' })
    expect(await here.gateway.perform(request(effect), events)).toMatchObject({ code: 'credential_invalid' })
  })
})

it('lets go of the signal of a call that has ended', async () => {
  const here = harness({})
  const aborter = new AbortController()
  const added: string[] = []
  const { signal } = aborter
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...given: Parameters<typeof add>) => (added.push('added'), add(...given))
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (added.push('removed'), remove(...given))
  await here.gateway.perform(request(), { ...events, signal })
  expect(added).toEqual(['added', 'removed'])
})
