import { describe, expect, it } from 'vitest'
import { sha256 } from '../kernel/index.ts'
import { explainCall, type CallMaterial } from './call-explanation.ts'
import type { DecisionDraft, OutcomeDraft, RecordDraft, StoredRecord } from './record.ts'
import { renderWhy } from './render-why.ts'
import { sealRecord } from './seal-record.ts'
import { writeRecord } from './write-record.ts'

const envelope = { namespace: 'demo', run: 'run-1', call: 'call-1', parentCall: null, trace: null }
const reference = { commitment: sha256('salted'), bytes: 26 }

const allowed: DecisionDraft = {
  ...envelope,
  kind: 'decision',
  bodies: { input: { json: '{"country":"CH"}' }, engineInput: null },
  mcp: { method: 'tools/call', protocolVersion: '2026-07-28', requestId: '7' },
  pre: {
    principal: { type: 'agent', id: 'demo/analyst', groups: ['analysts'], onBehalfOf: [] },
    authn: { method: 'api-key', credentialId: 'k1', senderConstrained: false, expiresAtMs: null },
    client: { address: '127.0.0.1', claimedName: null },
    door: 'tool',
    target: { service: 'leads', tool: 'leads-search', definitionHash: sha256('definition'), codeHash: null },
    sandbox: null,
    labelsBefore: ['pii'],
    derived: { extractor_hash: sha256('extractors'), facts: { link: { host: 'example.org' } }, untold: ['body'] },
  },
  decision: {
    effect: 'allow',
    basis: 'permit',
    engine: { name: 'cedar', version: '4.13.0' },
    policySetHash: sha256('policies'),
    schemaHash: null,
    entitiesHash: null,
    requestHash: null,
    determining: [
      {
        id: 'leads.cedar#search',
        effect: 'permit',
        textHash: sha256('p'),
        reason: 'Analysts may search.',
        remedy: null,
      },
    ],
    errors: [],
    obligations: ['redact'],
    evaluatedAtMs: 1_780_000_000_000,
    durationUs: 212,
    mode: 'enforce',
  },
}

const refused: DecisionDraft = {
  ...allowed,
  decision: { ...allowed.decision, effect: 'deny', basis: 'default-deny', determining: [], obligations: [] },
}

const reading = {
  uid: 1_990_000_000,
  hasCapabilities: false,
  noNewPrivs: true,
  seccompMode: 2,
  seccompFilters: 2,
  namespaces: { net: 7, mnt: 8 },
  shared: [],
  devices: ['lo'],
}

const ended: OutcomeDraft = {
  ...envelope,
  kind: 'outcome',
  subject: 'demo/analyst',
  bodies: { output: { json: '[]' } },
  outcome: {
    status: 'limit',
    detail: 'memory: 128 MiB reached',
    durationMs: 41.5,
    resources: { cpuMs: 31, maxRssBytes: 134_217_728, peakProcesses: 5, readBytes: 700, writtenBytes: 26 },
    exitCode: 137,
    innerCalls: 0,
    bytesOut: 26,
    jail: { kernel: 'host', before: reading, after: reading, group: { memoryBytes: 2 ** 28, processes: 20 } },
    invariants: [{ id: 'sandbox-profile', pass: true, detail: null }],
    labelsAfter: [],
    definitionHashAfter: null,
  },
}

function stored(drafts: readonly RecordDraft[]): StoredRecord[] {
  return drafts.map((draft, index) => {
    const timeMs = 1_780_000_000_000 + index
    const writer = { id: 'w', epoch: 1, seq: index, prevHash: null }
    const bodies = {
      input: draft.kind === 'decision' ? reference : null,
      output: draft.kind === 'outcome' ? reference : null,
    }
    const seal = { id: `record-${index}`, writer, ...bodies, engineInput: null }
    const json = sealRecord(writeRecord(draft, timeMs), draft.kind, seal)
    return { index, id: `record-${index}`, timeMs, namespace: 'demo', kind: draft.kind, call: draft.call, json }
  })
}

function page(drafts: readonly RecordDraft[], change: Partial<CallMaterial> = {}): string {
  return renderWhy(
    explainCall({ records: stored(drafts), input: '{"country":"CH"}', output: '[]', proof: null, ...change }),
  )
}

describe('the page on why a call went as it did', () => {
  it('says who, what, which rule, on which facts, what happened and what was used', () => {
    const lines = page([allowed, ended]).split('\n')
    expect(lines[0]).toBe('ALLOWED, and ended: limit')
    expect(lines[1]).toBe('demo/analyst asked for leads-search: leads.cedar#search permits it.')
    for (const part of [
      'Who        agent demo/analyst, in analysts',
      'What       tools/call leads-search of leads, by the tool door, 2026-05-28T20:26:40.000Z',
      '           arguments: {"country":"CH"}',
      'Because    a policy permits it and none forbids it',
      '           permit leads.cedar#search: Analysts may search.',
      '           on condition: redact',
      'On facts   labels on the run: pii',
      '           fact link = {"host":"example.org"}',
      '           fact body: the arguments do not tell, and no policy in scope reads it',
      `           facts made by extractors ${sha256('extractors').slice(0, 19)}`,
      'Happened   limit after 41.5 ms, 2026-05-28T20:26:40.001Z',
      '           memory: 128 MiB reached',
      '           used 31 ms of processor time and 128.0 MiB of memory',
      '           had 5 processes and threads at once, read 700 bytes, wrote 26 bytes',
      '           its process ended with exit code 137, as signal 9 leaves it',
      '           held: sandbox-profile',
      '           the kernel says: user 1990000000, 2 system-call filters, network lo, at most 256 MiB',
      'Result     []',
      'Proof      decision at position 0, outcome at position 1 of the log of demo',
    ]) {
      expect(lines).toContain(part)
    }
    expect(lines.length).toBeLessThan(40)
  })

  it('says what did not hold, and shows no output that is in quarantine', () => {
    const invariants = [{ id: 'sandbox-network', pass: false, detail: 'network devices were there: eth0' }]
    const bad = { ...ended, outcome: { ...ended.outcome, invariants } }
    const text = page([allowed, bad], { output: '"the output"' })
    expect(text).toContain('leads.cedar#search permits it. Its output was kept back.')
    expect(text).toContain('DID NOT HOLD: sandbox-network (network devices were there: eth0)')
    expect(text).toContain('Result     26 bytes, not shown')
    expect(text).not.toContain('the output"')
    expect(page([allowed, ended], { output: '"the output"' })).toContain('Result     "the output"')
  })

  it('says who acts for whom with whose token', () => {
    const token = { issuer: 'https://mcp.example.org', clientId: 'ci', actors: ['demo/second', 'demo/first'] }
    const principal = { ...allowed.pre.principal, onBehalfOf: ['demo/first', 'demo/analyst'] }
    const lines = page([
      { ...allowed, pre: { ...allowed.pre, principal, authn: { ...allowed.pre.authn, token } } },
    ]).split('\n')
    expect(lines).toContain('           used by demo/second on behalf of demo/first, demo/analyst')
    expect(lines).toContain('           token issued by https://mcp.example.org to client ci')
    expect(page([allowed])).not.toMatch(/on behalf of|token issued/)
  })

  it('says of a refusal by default that nothing permitted it, and that nothing ran', () => {
    const text = page([refused])
    expect(text).toContain('REFUSED, and nothing was run')
    expect(text).toContain('no policy permits it, and what is not permitted is refused')
    expect(text).not.toContain('Happened')
    expect(text).toContain('what would change it: mcpworks why not call-1 -n demo')
  })

  it('says that a call is open, or was abandoned', () => {
    expect(page([allowed])).toContain('still running or not yet closed')
    const reason = 'The server stopped.'
    const text = page([allowed, { ...envelope, kind: 'abandoned', event: { decision: 'record-0', reason } }])
    expect(text).toContain('ALLOWED, and ended: abandoned')
    expect(text).toContain(reason)
  })

  it('names the checkpoint that covers the decision', () => {
    const proof = {
      namespace: 'demo',
      index: 0,
      period: '',
      leafIndex: 0,
      leafHash: 'bGVhZg==',
      inclusion: ['aA=='],
      checkpoint: { size: 2, note: '' },
    }
    expect(page([allowed, ended], { proof })).toContain('under the signed checkpoint of 2 records, shown by 1 hashes')
    expect(page([allowed, ended], { proof: { ...proof, checkpoint: null } })).toContain(
      'not under a signed checkpoint yet',
    )
  })

  it('cuts long bodies, and says how long they are', () => {
    const text = page([allowed, ended], { output: `"${'x'.repeat(5000)}"` })
    expect(text).toContain('x ... (26 bytes)')
    expect(text.length).toBeLessThan(3000)
  })

  it('says that a body is kept from the reader', () => {
    expect(page([allowed, ended], { input: null })).toContain('arguments: 26 bytes, not shown')
  })

  it('shows control and direction characters of callers and tools as escapes', () => {
    const client = { address: '127.0.0.1', claimedName: '\u001b[2Jroot\n\u202eWho' }
    const text = page([{ ...allowed, pre: { ...allowed.pre, client } }, ended], { output: '"\u009b31m\u2028"' })
    expect(text).toContain(String.raw`calls itself "\u{1b}[2Jroot\u{a}\u{202e}Who" (not verified)`)
    expect(text).toContain(String.raw`"\u{9b}31m\u{2028}"`)
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2028]/)
  })

  it('cannot be made without a decision', () => {
    expect(() => explainCall({ records: stored([ended]), input: null, output: null, proof: null })).toThrow(
      'There is no decision for that call.',
    )
  })
})
