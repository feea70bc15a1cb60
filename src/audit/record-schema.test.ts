import { describe, expect, it } from 'vitest'
import { recordValidator } from '../../test/support/record-validator.ts'
import { decisionDraft, eventDraft, outcomeDraft } from '../../test/support/record-drafts.ts'
import { canonicalJson, sha256, uuidv7, type JsonObject } from '../kernel/index.ts'
import type { eventSchemas } from './event-schemas.ts'
import type { EventDraft, RecordDraft } from './record.ts'
import { redactionsOf, parseRedactions } from './redactions-of.ts'
import { sealRecord } from './seal-record.ts'
import { writeRecord } from './write-record.ts'

const timeMs = 1_780_000_000_000
const expires = new Date(timeMs).toISOString()
const set = sha256('policies')
const problemsOf = recordValidator()

function stored(draft: RecordDraft): JsonObject {
  const reference = { commitment: sha256('body'), bytes: 12 }
  const json = sealRecord(writeRecord(draft, timeMs), draft.kind, {
    id: uuidv7(timeMs),
    writer: { id: 'log', epoch: 1, seq: 3, prevHash: sha256('before') },
    input: draft.kind === 'decision' && draft.bodies.input !== null ? reference : null,
    engineInput: draft.kind === 'decision' && draft.bodies.engineInput !== null ? reference : null,
    output: draft.kind === 'outcome' && draft.bodies.output !== null ? reference : null,
    redactions: parseRedactions(redactionsOf(draft)),
  })
  return JSON.parse(json) as JsonObject
}

const judged = {
  approval: 'a',
  principal: 'ana',
  expires,
  method: 'session',
  credential: 'k',
  address: '127.0.0.1',
  comment: '',
  requester: 'demo/clerk',
  tool: 'pay',
  asked_by_call: 'c',
}
const ground = { basis: 'forbid', by: ['a.cedar#0'] }
const keeping = { level: null, body_days: 'forever', record_days: 30 }
const profiles = { python: { name: 'jail', hash: set }, typescript: { name: 'jail', hash: set } }
const started = {
  type: 'started',
  version: '1.0.0',
  record_version: 1,
  record_schema: set,
  node: 'v24.0.0',
  system: 'linux 6.1 x64',
  database: 'sqlite',
  configuration: set,
  policies: { digest: set, namespaces: 1, sets: [{ namespace: 'demo', set }] },
  sandbox: {
    engine: 'bubblewrap',
    version: '0.8',
    profiles,
    strict_profiles: null,
    cgroups: true,
    checks: { passed: 30, failed: [] },
  },
  before: { ended: 'broken', record: 7 },
  abandoned: 2,
}
const refusal = { code: 'credential_invalid', status: 401, route: null, reason: 'it has expired', count: 2 }

/** At least one of each form that an event has. */
const events: Record<keyof typeof eventSchemas, EventDraft['event'][]> = {
  abandoned: [{ decision: 'd', reason: 'The server stopped.' }],
  'denied-at-door': [
    { ...refusal, address: '::1', namespace: null, principalId: null, credentialId: null, first_ms: timeMs },
    { ...refusal, network: '10.0.0.0/16', first_ms: timeMs },
    { code: 'many', count: 7 },
  ],
  'policy-change': [
    { type: 'activated', policy_set: set, replaces: null, policies: 2, by: 'operator', comment: '' },
    { type: 'shadow-set', policy_set: set, policies: 2, by: 'operator', comment: '' },
    { type: 'shadow-cleared', policy_set: set, by: 'operator' },
    { type: 'recording-set', before: keeping, after: { ...keeping, level: 'metadata' }, by: 'operator' },
  ],
  credential: [{ type: 'key-issued', principal: 'demo/clerk', credential: 'k', address: '', scopes: ['mcp'] }],
  approval: [
    {
      type: 'requested',
      approval: 'a',
      principal: 'demo/clerk',
      expires,
      actors: [],
      door: 'tool',
      tool: 'pay',
      service: null,
      definition_hash: set,
      code_hash: null,
      rules: ['a.cedar#0'],
    },
    { ...judged, type: 'approved' },
    { ...judged, type: 'denied' },
    { type: 'link-made', approval: 'a', principal: 'ana', expires, link: 'l', for: 'bob' },
  ],
  start: [
    started,
    { ...started, policies: { ...started.policies, sets: [{ namespace: 'demo', set: null }] }, before: null },
    { type: 'stopped', start: 's' },
  ],
  shadow: [
    {
      type: 'shadow-decisions',
      policy_set: set,
      same: ['c'],
      differences: [
        { kind: 'newlyDenied', call: 'c', time: expires, principal: 'p', target: 't', before: ground, after: ground },
      ],
      missed: { busy: 1 },
    },
    { type: 'shadow-stopped', policy_set: set, reason: 'the thread ended' },
  ],
  quarantine: [
    {
      type: 'quarantined',
      invariants: [{ id: 'definition-unchanged', detail: null }],
      outcome: 'o',
      principal: 'demo/clerk',
      service: null,
      tool: 'shifty',
    },
    { type: 'released', by: 'ana', comment: 'to see', release: 'c', outcome: 'o' },
  ],
  period: [{ period: '2026-11', previous: { key: 'k', origin: 'mcpworks/l/demo', root: 'AA==', size: 3 } }],
  alarm: [
    { type: 'log-conflict', where: 'directory', period: '', problem: 'two roots', ours: 'a', theirs: null },
    { type: 'clock-ahead', counted: '2026-11-01T00:00:00.000Z', clock: '2036-11-01T00:00:00.000Z' },
    { type: 'receiver-failing', where: 'exporter siem', problem: 'status 503', since: '2026-11-01T00:00:00.000Z' },
    { type: 'receiver-recovered', where: 'exporter siem' },
    { type: 'receiver-loses', where: 'exporter siem', records: 2 },
    { type: 'retention-stopped', what: 'texts', position: 7 },
    { type: 'texts-unread', reader: 'export siem', since: 7 },
    { type: 'erasure-uncovered', subject: 'demo/ada', erasure: 7 },
    { type: 'erasure-uncovered', subject: 'demo/ada', erasure: 7, ranges: [[1, 2]] },
  ],
  'key-change': [{ number: 1, statement: 'n', inherited: false, previous: 'k1', next: 'k2' }],
  retention: [
    { what: 'texts', below: 3, removed: 3, calls: ['c'], days: 1 },
    { what: 'texts', below: 3, kept: [[0, 0]], removed: 2, calls: [], days: 1 },
    {
      what: 'texts',
      from: 0,
      below: 3,
      removed: 2,
      columns: sha256('x'),
      unread: [{ reader: 'export siem', records: 2 }],
      calls: [],
      days: 1,
    },
    { what: 'bodies', ranges: [[0, 1]], removed: 2, days: 0.5 },
  ],
  erasure: [
    { type: 'keys', subject: 'demo/ada', keys: [1], by: 'operator', asked_in: 'c' },
    { type: 'held', subject: 'demo/ada', holds: ['h'], by: 'operator', asked_in: 'c' },
    { type: 'bodies', subject: 'demo/ada', ranges: [[0, 1]], removed: 2 },
  ],
  'legal-hold': [
    { type: 'placed', hold: 'h', subject: null, reason: 'a case', by: 'operator' },
    { type: 'lifted', hold: 'h', subject: 'demo/ada', reason: 'over', by: 'operator' },
  ],
}

const decision = decisionDraft()
const figures = { callsMinute: 1, callsDay: 2, bytesOutDay: 3, spendDay: 4, running: 0 }
const fullDecision: RecordDraft = {
  ...decision,
  pre: {
    ...decision.pre,
    approval: { id: 'a', by: 'ana', atMs: timeMs },
    authn: {
      method: 'access-token',
      credentialId: 'c',
      senderConstrained: true,
      binding: 'dpop',
      keyThumbprint: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
      expiresAtMs: timeMs,
      token: { issuer: 'https://issuer.test', clientId: null, actors: ['a'], idHmac: `hmac-sha256:${'0'.repeat(64)}` },
    },
    derived: { extractor_hash: set, facts: { domain: ['a.test'] }, untold: ['verb'] },
    quota: { target: 'Tool pay', agent: figures, tool: figures, spend: 1, retryAfterSeconds: null },
  },
  bodies: { input: { json: '{}', redactions: 2 }, engineInput: { json: '{}', redactions: 1 } },
}
const look = {
  uid: 65_534,
  hasCapabilities: false,
  noNewPrivs: true,
  seccompMode: 2,
  seccompFilters: null,
  namespaces: { net: 4_026_531_992 },
  shared: [],
  devices: ['lo'],
}
const ended = outcomeDraft(decision)
const fullOutcome: RecordDraft = {
  ...ended,
  outcome: {
    ...ended.outcome,
    resources: {
      cpuMs: 1.5,
      maxRssBytes: 2,
      peakMemoryBytes: 3,
      peakProcesses: 4,
      readBytes: 5,
      writtenBytes: 6,
    },
    exitCode: 3,
    jail: { kernel: 'host', before: look, after: { ...look, uid: 1 }, group: { memoryBytes: 1, processes: null } },
    obligations: [{ obligation: 'notify security', fulfilled: true, detail: 'told' }],
  },
}

describe('the published schema of records', () => {
  it.each([
    ['decision', decisionDraft({ input: null, engineInput: null })],
    ['decision with bodies', decision],
    ['decision with all there is', fullDecision],
    ['outcome', outcomeDraft(decision, { output: null })],
    ['outcome with all there is', fullOutcome],
    ...Object.entries(events).flatMap(([kind, forms]) =>
      forms.map((event) => [kind, eventDraft(kind as EventDraft['kind'], event)] as const),
    ),
  ] as const)('takes a record of %s, and refuses it with one member more or one less', (_, draft) => {
    const record = stored(draft)
    expect(problemsOf(JSON.stringify(record))).toEqual([])
    expect(problemsOf(JSON.stringify({ ...record, more: 1 }))).not.toEqual([])
    for (const name of Object.keys(record)) {
      const { [name]: _left, ...less } = record
      expect(problemsOf(JSON.stringify(less)), name).not.toEqual([])
    }
    for (const part of ['pre', 'decision', 'outcome', 'event']) {
      if (record[part] === undefined || record.kind === 'credential') continue
      const more = { ...record, [part]: { ...(record[part] as JsonObject), secret: 'x' } }
      expect(problemsOf(canonicalJson(more)), part).not.toEqual([])
    }
  })

  it('knows no other kind', () => {
    const other = { ...stored(eventDraft('abandoned', { decision: 'd', reason: 'r' })), kind: 'other' }
    expect(problemsOf(JSON.stringify(other))).not.toEqual([])
  })

  it('takes no plain hash, and no token, where a keyed one belongs', () => {
    const record = stored(fullDecision) as { pre: { authn: JsonObject } }
    record.pre.authn.token_id_hmac = sha256('jti')
    expect(problemsOf(JSON.stringify(record))).not.toEqual([])
  })
})
