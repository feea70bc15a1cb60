import type { DecisionLog, RecordDraft } from '../../src/audit/index.ts'
import { createGateway } from '../../src/gateway/create-gateway.ts'
import {
  createMemoryCatalogue,
  type ActOutcome,
  type Backend,
  type CatalogueEntry,
  type GatewayPorts,
  type GatewayRequest,
} from '../../src/gateway/index.ts'
import { createRunLedger } from '../../src/gateway/runs/run-ledger.ts'
import { UsageBook } from '../../src/gateway/usage/usage-book.ts'
import { digestJson, McpworksError, type BodyLevel, type JsonObject } from '../../src/kernel/index.ts'
import type { PolicyDecision, PolicyEngine } from '../../src/policy/index.ts'

/** The tool of the harness as agents see it. */
export const definition: JsonObject = { name: 'notes-add', inputSchema: { type: 'object' } }
export const hash = digestJson('x')

/** What a test may choose of the ports. */
export interface PipelineOptions {
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
}

/** A gateway over ports that write down what happens, in order. */
export function harness(options: PipelineOptions) {
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
      auditMinRecordDays: 30,
      auditClockJumpDays: 14,
      auditWaitDays: 7,
      maxAuditBodyBytes: 200,
      notifications: { secret: '', networks: [], channels: [], alerts: [], alarmAfterSeconds: 300 },
    },
  }
  const gateway = createGateway(ports, (_call, error) => reported.push(error))
  const withdraw = (): void => {
    withdrawn.now = true
    for (const listener of listeners) listener()
  }
  return { gateway, events, drafts, reported, judged, catalogue, withdraw }
}

/** A call of the tool by an agent of the namespace, or another effect. */
export function request(
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

/** A caller that listens to nothing. */
export const events = { signal: new AbortController().signal, log: () => {}, progress: () => {} }
