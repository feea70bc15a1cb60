import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, sha256, type JsonObject } from '../kernel/index.ts'
import type { DecisionDraft, EventDraft, OutcomeDraft, RecordDraft } from './record.ts'
import type { JailDraft } from './jail-draft.ts'
import { sealRecord, type RecordSeal } from './seal-record.ts'
import { writeRecord } from './write-record.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const maybeText = fc.option(text)
const digest = text.map(sha256)
const timeMs = fc.integer({ min: 0, max: 4_000_000_000_000 })
const object = fc.dictionary(text, fc.jsonValue({ maxDepth: 2 })) as fc.Arbitrary<JsonObject>
const draftBody = fc.option(fc.constant({ json: '{}' }))
const body = fc.option(fc.record({ commitment: digest, bytes: fc.nat() }))
const envelope = { namespace: text, run: text, call: text, parentCall: maybeText, trace: maybeText }

const decision: fc.Arbitrary<DecisionDraft> = fc.record({
  ...envelope,
  kind: fc.constant('decision' as const),
  bodies: fc.record({ input: draftBody, engineInput: draftBody }),
  mcp: fc.record({ method: text, protocolVersion: maybeText, requestId: maybeText }),
  pre: fc.record({
    principal: fc.record({ type: text, id: text, groups: fc.array(text), onBehalfOf: fc.array(text) }),
    authn: fc.record(
      {
        method: text,
        credentialId: text,
        senderConstrained: fc.boolean(),
        expiresAtMs: fc.option(timeMs),
        keyThumbprint: text,
        token: fc.record(
          { issuer: text, clientId: maybeText, actors: fc.array(text), idHmac: text },
          { requiredKeys: ['issuer', 'clientId', 'actors'] },
        ),
      },
      { requiredKeys: ['method', 'credentialId', 'senderConstrained', 'expiresAtMs'] },
    ),
    client: fc.record({ address: text, claimedName: maybeText }),
    door: text,
    target: fc.record({
      service: maybeText,
      tool: text,
      definitionHash: fc.option(digest),
      codeHash: fc.option(digest),
    }),
    sandbox: fc.option(fc.record({ engine: text, profile: text, profileHash: digest, runtime: text })),
    labelsBefore: fc.array(text),
    derived: object,
  }),
  decision: fc.record({
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    basis: text,
    engine: fc.option(fc.record({ name: text, version: text })),
    policySetHash: fc.option(digest),
    schemaHash: fc.option(digest),
    entitiesHash: fc.option(digest),
    requestHash: fc.option(digest),
    determining: fc.array(
      fc.record({ id: text, effect: text, textHash: digest, reason: maybeText, remedy: maybeText }),
      { maxLength: 3 },
    ),
    errors: fc.array(fc.record({ policyId: maybeText, message: text }), { maxLength: 2 }),
    obligations: fc.array(text, { maxLength: 2 }),
    evaluatedAtMs: timeMs,
    durationUs: fc.double({ noNaN: true, noDefaultInfinity: true }),
    mode: fc.constant('enforce' as const),
  }),
})

const outcomeWithoutJail: fc.Arbitrary<OutcomeDraft> = fc.record({
  ...envelope,
  kind: fc.constant('outcome' as const),
  subject: text,
  bodies: fc.record({ output: draftBody }),
  outcome: fc.record({
    status: fc.constantFrom('ok' as const, 'tool-error' as const, 'limit' as const),
    detail: maybeText,
    durationMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
    resources: fc.option(
      fc.record(
        {
          cpuMs: fc.nat(),
          maxRssBytes: fc.nat(),
          peakMemoryBytes: fc.nat(),
          peakProcesses: fc.nat(),
          readBytes: fc.nat(),
          writtenBytes: fc.nat(),
        },
        { requiredKeys: ['cpuMs', 'maxRssBytes'] },
      ),
    ),
    innerCalls: fc.nat(),
    bytesOut: fc.nat(),
    invariants: fc.array(fc.record({ id: text, pass: fc.boolean(), detail: maybeText }), { maxLength: 2 }),
    labelsAfter: fc.array(text),
    definitionHashAfter: fc.option(digest),
  }),
})

const look = fc.record({
  uid: fc.nat(),
  hasCapabilities: fc.boolean(),
  noNewPrivs: fc.boolean(),
  seccompMode: fc.nat(2),
  seccompFilters: fc.option(fc.nat()),
  namespaces: fc.record({ user: fc.nat(), mnt: fc.nat(), cgroup: fc.nat() }),
  shared: fc.array(text),
  devices: fc.array(text),
})

const jail: fc.Arbitrary<JailDraft> = fc.record({
  kernel: fc.constantFrom('host', 'guest'),
  before: look,
  after: fc.option(look),
  group: fc.option(fc.record({ memoryBytes: fc.option(fc.nat()), processes: fc.option(fc.nat()) })),
})

const outcome = fc.tuple(outcomeWithoutJail, fc.option(jail), fc.option(fc.nat(255))).map(([draft, read, exitCode]) => {
  const told = { ...(read === null ? {} : { jail: read }), ...(exitCode === null ? {} : { exitCode }) }
  return { ...draft, outcome: { ...draft.outcome, ...told } }
})

const event: fc.Arbitrary<EventDraft> = fc.record({
  ...envelope,
  kind: fc.constantFrom('start' as const, 'credential' as const, 'abandoned' as const),
  event: object,
})

const seal: fc.Arbitrary<RecordSeal> = fc.record({
  id: fc.uuid(),
  writer: fc.record({ id: fc.uuid(), epoch: fc.nat(), seq: fc.nat(), prevHash: fc.option(digest) }),
  input: body,
  output: body,
  engineInput: body,
})

describe('sealRecord', () => {
  it('writes RFC 8785 text, whatever the draft holds', () => {
    fc.assert(
      fc.property(fc.oneof(decision, outcome, event), seal, timeMs, (draft: RecordDraft, given, at) => {
        const json = sealRecord(writeRecord(draft, at), draft.kind, given)
        expect(json).toBe(canonicalJson(JSON.parse(json)))
      }),
      { numRuns: 300 },
    )
  })

  it('keeps every fact of a decision under the name that the design gives it', () => {
    fc.assert(
      fc.property(decision, seal, timeMs, (draft, given, at) => {
        const record = JSON.parse(sealRecord(writeRecord(draft, at), 'decision', given))
        expect(record).toMatchObject({
          v: 1,
          kind: 'decision',
          id: given.id,
          call: draft.call,
          namespace: draft.namespace,
          parent_call: draft.parentCall,
          time: new Date(at).toISOString(),
          writer: {
            id: given.writer.id,
            epoch: given.writer.epoch,
            seq: given.writer.seq,
            prev_hash: given.writer.prevHash,
          },
          mcp: { json_rpc_id: draft.mcp.requestId },
          pre: { principal: { on_behalf_of: draft.pre.principal.onBehalfOf }, labels_before: draft.pre.labelsBefore },
          decision: { effect: draft.decision.effect, policy_set_hash: draft.decision.policySetHash },
        })
        const { token } = draft.pre.authn
        expect([record.pre.authn.issuer, record.pre.authn.client_id, record.pre.authn.actors]).toEqual([
          token?.issuer,
          token?.clientId,
          token?.actors,
        ])
        expect(record.pre.input?.commitment).toBe(given.input?.commitment)
      }),
    )
  })

  it('names the engine input by its salted commitment and not by the plain hash', () => {
    const [draft] = fc.sample(decision, 1)
    const [given] = fc.sample(seal, 1)
    if (draft === undefined || given === undefined) throw new Error('no sample')
    const plain = sha256('the exact engine input')
    const commitment = sha256('salt and input')
    const withHash = { ...draft, decision: { ...draft.decision, requestHash: plain } }
    const json = sealRecord(writeRecord(withHash, 0), 'decision', { ...given, engineInput: { commitment, bytes: 9 } })
    expect(json).not.toContain(plain)
    expect(JSON.parse(json).decision).toMatchObject({ request_hash: commitment, request_bytes: 9 })
  })

  it('records a draft with lone surrogates, with the replacement character in their place', () => {
    const [draft] = fc.sample(event, 1)
    const [given] = fc.sample(seal, 1)
    if (draft === undefined || given === undefined) throw new Error('no sample')
    const hostile = { ...draft, event: { 'a\ud800': ['x\udfff'] }, trace: '\ud83d' }
    const record = JSON.parse(sealRecord(writeRecord(hostile, 0), hostile.kind, given))
    expect(record.event).toEqual({ 'a\ufffd': ['x\ufffd'] })
    expect(record.trace).toBe('\ufffd')
  })

  it('refuses drafts that are not JSON or not of their type', () => {
    const [draft] = fc.sample(decision, 1)
    if (draft === undefined) throw new Error('no sample')
    const endless = { ...draft, pre: { ...draft.pre, derived: { size: Number.NaN } } }
    expect(() => writeRecord(endless, 0)).toThrow(expect.objectContaining({ code: 'invalid_json' }))
    expect(() => writeRecord(draft, Number.NaN)).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => sealRecord(writeRecord(draft, 0), 'outcome', fc.sample(seal, 1)[0] as RecordSeal)).toThrow(
      expect.objectContaining({ code: 'internal' }),
    )
  })
})
