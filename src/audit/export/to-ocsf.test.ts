import { describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { CallExplanation } from '../call-explanation.ts'
import { toCloudEvent } from './to-cloud-event.ts'
import { eventToOcsf, toOcsf } from './to-ocsf.ts'

const call: CallExplanation = {
  call: 'call1',
  namespace: 'demo',
  run: 'run1',
  parentCall: null,
  trace: null,
  time: '2026-01-02T03:04:05.000Z',
  who: {
    type: 'agent',
    id: 'demo/analyst',
    groups: ['demo/analysts'],
    authentication: 'api-key',
    credentialId: 'k1',
    issuer: null,
    clientId: null,
    actors: [],
    address: '192.0.2.1',
    claimedName: 'client 1.0',
  },
  what: {
    method: 'tools/call',
    tool: 'leads-export',
    service: 'leads',
    door: 'tool',
    input: null,
    inputBytes: 9,
    inputGone: null,
    inputRedactions: 0,
  },
  decision: {
    effect: 'deny',
    basis: 'forbid',
    rules: [{ id: 'leads.cedar#no-bulk', effect: 'forbid', reason: 'Too many.', remedy: null }],
    errors: [],
    obligations: [],
    approval: null,
    shadow: null,
    engine: 'cedar 4.13.0',
    policySetHash: 'sha256:aa',
    durationUs: 10,
  },
  facts: {
    labels: [],
    derived: {},
    untold: [],
    extractorHash: null,
    quota: null,
    definitionHash: 'sha256:bb',
    codeHash: null,
    sandbox: null,
  },
  outcome: null,
  records: [{ kind: 'decision', index: 4, id: 'record4', time: '2026-01-02T03:04:05.000Z' }],
  proof: null,
}

const ended: CallExplanation = {
  ...call,
  decision: {
    ...call.decision,
    effect: 'allow',
    basis: 'permit',
    rules: [{ id: 'leads.cedar#may', effect: 'permit', reason: null, remedy: null }],
  },
  outcome: {
    status: 'ok',
    detail: null,
    time: '2026-01-02T03:04:06.000Z',
    durationMs: 900,
    cpuMs: 1,
    maxRssBytes: 1,
    peakProcesses: null,
    readBytes: null,
    writtenBytes: null,
    exitCode: null,
    innerCalls: 0,
    bytesOut: 1,
    labelsAfter: [],
    failedInvariants: [],
    invariants: [],
    jail: null,
    obligations: [],
    output: null,
    outputBytes: null,
    outputGone: null,
    outputRedactions: 0,
  },
  records: [...call.records, { kind: 'outcome', index: 5, id: 'record5', time: '2026-01-02T03:04:06.000Z' }],
}

/** What the schema of the class requires, as paths. */
const required = [
  'activity_id',
  'actor.user.uid',
  'api.operation',
  'category_uid',
  'class_uid',
  'metadata.product',
  'metadata.version',
  'severity_id',
  'src_endpoint',
  'time',
  'type_uid',
]

function at(event: JsonObject, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (isJsonObject(value) ? value[name] : undefined), event)
}

function expectComplete(event: JsonObject): void {
  expect(required.filter((path) => at(event, path) === undefined)).toEqual([])
  expect(event.type_uid).toBe(Number(event.class_uid) * 100 + Number(event.activity_id))
}

describe('a call as an OCSF event', () => {
  it('says of a refusal who, what, which rule and why', () => {
    const event = toOcsf(call, '1.2.3')
    expectComplete(event)
    expect(event).toMatchObject({
      class_uid: 6003,
      time: Date.parse(call.time),
      status_id: 2,
      action_id: 2,
      disposition_id: 2,
      message: 'demo/analyst was refused leads-export: Too many.',
      actor: { user: { uid: 'demo/analyst' }, app_name: 'client 1.0' },
      src_endpoint: { ip: '192.0.2.1' },
      authorizations: [{ decision: 'denied', policy: { uid: 'leads.cedar#no-bulk', desc: 'Too many.' } }],
      metadata: { uid: 'record4', product: { version: '1.2.3' }, profiles: ['security_control'] },
    })
  })

  it('is of the end of an allowed one, under the id of the record that ended it', () => {
    const event = toOcsf(ended, '1.2.3')
    expectComplete(event)
    expect(event).toMatchObject({ time: Date.parse('2026-01-02T03:04:06.000Z'), status_id: 1, action_id: 1 })
    expect(event).toMatchObject({ metadata: { uid: 'record5', correlation_uid: 'run1' }, is_alert: false })
  })

  it('is an alert where an invariant failed, and a failure where the tool did', () => {
    const outcome = ended.outcome === null ? null : { ...ended.outcome, status: 'tool-error' }
    expect(toOcsf({ ...ended, outcome }, '1')).toMatchObject({ status_id: 2, action_id: 1, status_code: 'tool-error' })
    const broken = ended.outcome === null ? null : { ...ended.outcome, failedInvariants: ['sandbox-profile'] }
    expect(toOcsf({ ...ended, outcome: broken }, '1')).toMatchObject({ is_alert: true })
  })

  it.each([
    ['agent.add', 1],
    ['agent.show', 2],
    ['state.apply', 3],
    ['key.revoke', 4],
    ['tools/call', 99],
    ['resources/read', 2],
  ])('of %s is of the activity %i', (method, activity) => {
    expect(toOcsf({ ...call, what: { ...call.what, method } }, '1').activity_id).toBe(activity)
  })
})

describe('a record that is about no call', () => {
  const stored = {
    index: 7,
    id: 'record7',
    timeMs: 5,
    namespace: 'demo',
    kind: 'denied-at-door' as const,
    call: 'x',
    json: '{"event":{"code":"credential_invalid","address":"192.0.2.9","route":"mcp"}}',
  }

  it('is an OCSF event too', () => {
    const event = eventToOcsf(stored, '1')
    expectComplete(event)
    expect(event).toMatchObject({ action_id: 2, src_endpoint: { ip: '192.0.2.9' }, api: { operation: 'mcp' } })
    expectComplete(eventToOcsf({ ...stored, kind: 'start', json: '{"event":{}}' }, '1'))
  })

  it('is a CloudEvent with what version 1.0 asks for', () => {
    expect(toCloudEvent(stored)).toEqual({
      specversion: '1.0',
      id: 'record7',
      source: '/mcpworks/namespaces/demo',
      type: 'mcpworks.denied-at-door.v1',
      subject: 'x',
      time: '1970-01-01T00:00:00.005Z',
      datacontenttype: 'application/json',
      data: { event: { code: 'credential_invalid', address: '192.0.2.9', route: 'mcp' } },
    })
  })
})
