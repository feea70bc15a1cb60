import type { DecisionDraft, EventDraft, OutcomeDraft } from '../../src/audit/index.ts'
import { sha256, uuidv7 } from '../../src/kernel/index.ts'

// Made once: a benchmark that makes drafts by the thousand must not measure this.
const digests = {
  code: sha256('code'),
  definition: sha256('definition'),
  entities: sha256('entities'),
  policies: sha256('policies'),
  policy: sha256('policy'),
  profile: sha256('profile'),
  request: sha256('request'),
  schema: sha256('schema'),
}

/** What a test wants to be different in a draft. */
export interface DraftChoices {
  readonly namespace?: string
  readonly call?: string
  readonly effect?: 'allow' | 'deny'
  readonly principal?: string
  readonly input?: string | null
  readonly output?: string | null
  readonly engineInput?: string | null
}

/** A decision as the pipeline would draft it, about 1.5 KB once sealed. */
export function decisionDraft(choices: DraftChoices = {}): DecisionDraft {
  const { namespace = 'demo', effect = 'allow', principal = 'demo/analyst' } = choices
  const { input = '{"country":"CH","limit":5}', engineInput = '{"action":"call"}' } = choices
  return {
    kind: 'decision',
    namespace,
    run: 'run-1',
    call: choices.call ?? uuidv7(Date.now()),
    parentCall: null,
    trace: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    mcp: { method: 'tools/call', protocolVersion: '2026-07-28', requestId: '7' },
    pre: {
      principal: { type: 'agent', id: principal, groups: ['analysts'], onBehalfOf: [] },
      authn: { method: 'api-key', credentialId: 'k_7f3a', senderConstrained: false, expiresAtMs: null },
      client: { address: '127.0.0.1', claimedName: 'example-client 1.0' },
      door: 'tool',
      target: {
        service: 'leads',
        tool: 'leads-search',
        definitionHash: digests.definition,
        codeHash: digests.code,
      },
      sandbox: { engine: 'bubblewrap', profile: 'default', profileHash: digests.profile, runtime: 'python' },
      labelsBefore: [],
      derived: {},
    },
    decision: {
      effect,
      basis: effect === 'allow' ? 'permit' : 'forbid',
      engine: { name: 'cedar', version: '4.13.0' },
      policySetHash: digests.policies,
      schemaHash: digests.schema,
      entitiesHash: digests.entities,
      requestHash: digests.request,
      determining: [
        {
          id: 'leads.cedar#analysts-search',
          effect: effect === 'allow' ? 'permit' : 'forbid',
          textHash: digests.policy,
          reason: 'Analysts may search leads.',
          remedy: null,
        },
      ],
      errors: [],
      obligations: [],
      evaluatedAtMs: 1_780_000_000_000,
      durationUs: 212,
      mode: 'enforce',
    },
    bodies: {
      input: input === null ? null : { json: input },
      engineInput: engineInput === null ? null : { json: engineInput },
    },
  }
}

/** The outcome of a decision's call. */
export function outcomeDraft(
  decision: Pick<DecisionDraft, 'namespace' | 'run' | 'call'>,
  choices: DraftChoices = {},
): OutcomeDraft {
  const { output = '{"rows":[{"name":"Ada"}]}' } = choices
  return {
    kind: 'outcome',
    namespace: decision.namespace,
    run: decision.run,
    call: decision.call,
    parentCall: null,
    trace: null,
    subject: choices.principal ?? 'demo/analyst',
    outcome: {
      status: 'ok',
      detail: null,
      durationMs: 41.5,
      resources: { cpuMs: 31, maxRssBytes: 21_000_000 },
      innerCalls: 0,
      bytesOut: 24,
      invariants: [{ id: 'profile', pass: true, detail: null }],
      labelsAfter: [],
      definitionHashAfter: digests.definition,
    },
    bodies: { output: output === null ? null : { json: output } },
  }
}

/** An event that belongs to no call of a tool. */
export function eventDraft(kind: EventDraft['kind'], event: EventDraft['event'], namespace = 'demo'): EventDraft {
  return { kind, namespace, run: 'run-1', call: uuidv7(Date.now()), parentCall: null, trace: null, event }
}
