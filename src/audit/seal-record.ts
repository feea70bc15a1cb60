import { canonicalJson, type Digest, type JsonObject } from '../kernel/index.ts'
import type { BodyReference } from './sealed-bodies.ts'
import { recordVersion, type DecisionDraft, type EventDraft, type OutcomeDraft, type RecordDraft } from './record.ts'

/** The log's own part of a record: what the drafter does not know. */
export interface RecordSeal {
  readonly id: string
  readonly timeMs: number
  readonly writer: {
    readonly id: string
    /** Counts the starts of the writer, from 1. */
    readonly epoch: number
    /** Position in all that the writer ever wrote, from 0. */
    readonly seq: number
    /** RFC 6962 leaf hash of the writer's record before this one, `null` for its first. */
    readonly prevHash: Digest | null
  }
  /** What stands beside the record, encrypted. */
  readonly input: BodyReference | null
  readonly output: BodyReference | null
  readonly engineInput: BodyReference | null
}

/** A draft without its bodies: they never enter the record. */
export type BodilessDraft = Omit<DecisionDraft, 'bodies'> | Omit<OutcomeDraft, 'bodies'> | EventDraft

/**
 * The record as it is stored and hashed: RFC 8785 text with the field names of `design/decision-record.md`.
 * The members are written in sorted order here, which costs a fifth of sorting them; a property test holds the result
 * against the canonicalizer. Strings must be well-formed (see `wellFormedDraft`).
 * `request_hash` is the salted commitment to the engine's exact input, not the plain hash that the engine gives:
 * that input holds the arguments, which can be guessed.
 * @throws McpworksError `invalid_json` where the free-form part of a draft has no RFC 8785 form.
 */
export function sealRecord(draft: BodilessDraft, seal: RecordSeal): string {
  const text = JSON.stringify
  const { writer } = seal
  return (
    `{"call":${text(draft.call)},` +
    (draft.kind === 'decision' ? `"decision":${decisionText(draft.decision, seal)},` : '') +
    ('event' in draft ? `"event":${canonicalJson(draft.event)},` : '') +
    `"id":${text(seal.id)},"kind":${text(draft.kind)},"level":"${level(seal)}",` +
    (draft.kind === 'decision' ? `"mcp":${mcpText(draft.mcp)},` : '') +
    `"namespace":${text(draft.namespace)},` +
    (draft.kind === 'outcome' ? `"outcome":${outcomeText(draft.outcome, seal)},` : '') +
    `"parent_call":${text(draft.parentCall)},` +
    (draft.kind === 'decision' ? `"pre":${preText(draft.pre, seal)},` : '') +
    `"run":${text(draft.run)},"time":"${new Date(seal.timeMs).toISOString()}","trace":${text(draft.trace)},` +
    `"v":${recordVersion},"writer":{"epoch":${writer.epoch},"id":${text(writer.id)},` +
    `"prev_hash":${text(writer.prevHash)},"seq":${writer.seq}}}`
  )
}

/**
 * The draft with every lone surrogate replaced by U+FFFD. RFC 8785 has no form for them, and a record must not be
 * refused because a caller chose a bad string.
 */
export function wellFormedDraft<Draft extends RecordDraft | BodilessDraft>(draft: Draft): Draft {
  return repair(draft) as Draft
}

function repair(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(repair)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), repair(member)]))
}

function level(seal: RecordSeal): 'metadata' | 'request' | 'request_response' {
  if (seal.output !== null) return 'request_response'
  return seal.input === null ? 'metadata' : 'request'
}

function mcpText(mcp: DecisionDraft['mcp']): string {
  return JSON.stringify({ json_rpc_id: mcp.requestId, method: mcp.method, protocol_version: mcp.protocolVersion })
}

function bodyText(body: BodyReference | null, id: string, part: string): string {
  if (body === null) return 'null'
  return JSON.stringify({ bytes: body.bytes, commitment: body.commitment, redacted: false, ref: `${id}/${part}` })
}

function decisionText(decision: DecisionDraft['decision'], seal: RecordSeal): string {
  const { engine } = decision
  return JSON.stringify({
    basis: decision.basis,
    determining: decision.determining.map((policy) => ({
      effect: policy.effect,
      id: policy.id,
      reason: policy.reason,
      remedy: policy.remedy,
      text_hash: policy.textHash,
    })),
    duration_us: decision.durationUs,
    effect: decision.effect,
    engine: engine === null ? null : { name: engine.name, version: engine.version },
    entities_hash: decision.entitiesHash,
    errors: decision.errors.map((error) => ({ message: error.message, policy_id: error.policyId })),
    evaluated_at: new Date(decision.evaluatedAtMs).toISOString(),
    mode: decision.mode,
    obligations: decision.obligations,
    policy_set_hash: decision.policySetHash,
    request_bytes: seal.engineInput?.bytes ?? null,
    request_hash: seal.engineInput?.commitment ?? null,
    schema_hash: decision.schemaHash,
  })
}

function preText(pre: DecisionDraft['pre'], seal: RecordSeal): string {
  const { authn, client, principal, sandbox, target } = pre
  const before = JSON.stringify({
    authn: {
      credential_id: authn.credentialId,
      expires: authn.expiresAtMs === null ? null : new Date(authn.expiresAtMs).toISOString(),
      method: authn.method,
      sender_constrained: authn.senderConstrained,
    },
    client: { address: client.address, claimed_name: client.claimedName },
  })
  const after = JSON.stringify({
    labels_before: pre.labelsBefore,
    principal: {
      groups: principal.groups,
      id: principal.id,
      on_behalf_of: principal.onBehalfOf,
      type: principal.type,
    },
    sandbox:
      sandbox === null
        ? null
        : {
            engine: sandbox.engine,
            profile: sandbox.profile,
            profile_hash: sandbox.profileHash,
            runtime: sandbox.runtime,
          },
    target: {
      code_hash: target.codeHash,
      definition_hash: target.definitionHash,
      service: target.service,
      tool: target.tool,
    },
  })
  const derived = isEmpty(pre.derived) ? '{}' : canonicalJson(pre.derived)
  const input = bodyText(seal.input, seal.id, 'input')
  return `${before.slice(0, -1)},"derived":${derived},"door":${JSON.stringify(pre.door)},"input":${input},${after.slice(1)}`
}

function outcomeText(outcome: OutcomeDraft['outcome'], seal: RecordSeal): string {
  const { resources } = outcome
  const before = JSON.stringify({
    definition_hash_after: outcome.definitionHashAfter,
    detail: outcome.detail,
    duration_ms: outcome.durationMs,
    inner_calls: outcome.innerCalls,
    invariants: outcome.invariants.map(({ id, pass, detail }) => ({ detail, id, pass })),
    labels_after: outcome.labelsAfter,
  })
  const after = JSON.stringify({
    resources: resources === null ? null : { cpu_ms: resources.cpuMs, max_rss: resources.maxRssBytes },
    status: outcome.status,
  })
  return `${before.slice(0, -1)},"output":${bodyText(seal.output, seal.id, 'output')},${after.slice(1)}`
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false
  return true
}
