import { canonicalJson, McpworksError, type JsonObject } from '../kernel/index.ts'
import { jailMembers } from './jail-draft.ts'
import { plainEvent } from './plain-event.ts'
import {
  recordVersion,
  type DecisionDraft,
  type OutcomeDraft,
  type QuotaDraft,
  type QuotaFigures,
  type RecordDraft,
} from './record.ts'

/** Where the log's own part of a record goes. No JSON text without white space holds a newline. */
export const cut = '\n'

/**
 * A record as far as its drafter knows it: the RFC 8785 text that is stored and hashed, with the field names of
 * `design/decision-record.md` and a newline in each place that `sealRecord` fills.
 * The members are written in sorted order here, which costs a fifth of sorting them; a property test holds the result
 * against the canonicalizer. A lone surrogate, for which RFC 8785 has no form, becomes U+FFFD: a record must not be
 * refused because a caller chose a bad string.
 * @throws McpworksError `invalid_json` where the free-form part of a draft is not JSON, `internal` for a draft that is
 * not of its type.
 */
export function writeRecord(draft: RecordDraft, timeMs: number): string {
  try {
    const text = recordText(draft, timeMs)
    return mayHoldLoneSurrogate(text) ? recordText(wellFormed(draft), timeMs) : text
  } catch (cause) {
    throw cause instanceof McpworksError ? cause : new McpworksError('internal', { detail: 'a malformed draft', cause })
  }
}

/** Only lone surrogates are escaped like this. A backslash that the caller wrote is doubled, and looks the same here. */
function mayHoldLoneSurrogate(json: string): boolean {
  return json.includes('\\ud')
}

/** The part of a record whose members are not known here. */
function freeForm(value: JsonObject): string {
  if (isEmpty(value)) return '{}'
  return canonicalJson(mayHoldLoneSurrogate(JSON.stringify(value)) ? repair(value) : value)
}

function recordText(draft: RecordDraft, timeMs: number): string {
  const text = JSON.stringify
  return (
    `{"call":${text(draft.call)},` +
    (draft.kind === 'decision' ? `"decision":${decisionText(draft.decision)},` : '') +
    ('event' in draft ? `"event":${freeForm(plainEvent(draft))},` : '') +
    `${cut},"kind":${text(draft.kind)},"level":"${level(draft)}",` +
    (draft.kind === 'decision' ? `"mcp":${mcpText(draft.mcp)},` : '') +
    `"namespace":${text(draft.namespace)},` +
    (draft.kind === 'outcome' ? `"outcome":${outcomeText(draft.outcome)},` : '') +
    `"parent_call":${text(draft.parentCall)},` +
    (draft.kind === 'decision' ? `"pre":${preText(draft.pre)},` : '') +
    `"run":${text(draft.run)},"time":"${new Date(timeMs).toISOString()}","trace":${text(draft.trace)},` +
    `"v":${recordVersion},${cut}}`
  )
}

function wellFormed(draft: RecordDraft): RecordDraft {
  return repair(draft) as RecordDraft
}

function repair(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(repair)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), repair(member)]))
}

/** How much of the exchange is kept beside the record. */
function level(draft: RecordDraft): 'metadata' | 'request' | 'request_response' {
  if (draft.kind === 'outcome' && draft.bodies.output !== null) return 'request_response'
  return draft.kind === 'decision' && draft.bodies.input !== null ? 'request' : 'metadata'
}

function mcpText(mcp: DecisionDraft['mcp']): string {
  return JSON.stringify({ json_rpc_id: mcp.requestId, method: mcp.method, protocol_version: mcp.protocolVersion })
}

function decisionText(decision: DecisionDraft['decision']): string {
  const { engine } = decision
  const before = JSON.stringify({
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
  })
  return `${before.slice(0, -1)},${cut},"schema_hash":${JSON.stringify(decision.schemaHash)}}`
}

function preText(pre: DecisionDraft['pre']): string {
  const { authn, client, principal, sandbox, target } = pre
  const { approval } = pre
  const before = JSON.stringify({
    ...(approval === undefined
      ? {}
      : {
          approval: {
            at: approval.atMs === null ? null : new Date(approval.atMs).toISOString(),
            by: approval.by,
            id: approval.id,
          },
        }),
    authn: {
      ...(authn.token === undefined ? {} : { actors: authn.token.actors }),
      ...(authn.binding === undefined ? {} : { binding: authn.binding }),
      ...(authn.token === undefined ? {} : { client_id: authn.token.clientId }),
      credential_id: authn.credentialId,
      expires: authn.expiresAtMs === null ? null : new Date(authn.expiresAtMs).toISOString(),
      ...(authn.token === undefined ? {} : { issuer: authn.token.issuer }),
      ...(authn.keyThumbprint === undefined ? {} : { key_thumbprint: authn.keyThumbprint }),
      method: authn.method,
      sender_constrained: authn.senderConstrained,
      ...(authn.token?.idHmac === undefined ? {} : { token_id_hmac: authn.token.idHmac }),
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
    ...(pre.quota === undefined ? {} : { quota: quotaMembers(pre.quota) }),
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
  return `${before.slice(0, -1)},"derived":${freeForm(pre.derived)},"door":${JSON.stringify(pre.door)},${cut},${after.slice(1)}`
}

function quotaMembers({ agent, retryAfterSeconds, spend, target, tool }: QuotaDraft) {
  return { agent: figures(agent), retry_after_s: retryAfterSeconds, spend, target, tool: figures(tool) }
}

function figures({ bytesOutDay, callsDay, callsMinute, running, spendDay }: QuotaFigures) {
  return { bytes_out_day: bytesOutDay, calls_day: callsDay, calls_minute: callsMinute, running, spend_day: spendDay }
}

function outcomeText(outcome: OutcomeDraft['outcome']): string {
  const { resources } = outcome
  const before = JSON.stringify({
    bytes_out: outcome.bytesOut,
    definition_hash_after: outcome.definitionHashAfter,
    detail: outcome.detail,
    duration_ms: outcome.durationMs,
    ...(outcome.exitCode === undefined ? {} : { exit_code: outcome.exitCode }),
    inner_calls: outcome.innerCalls,
    invariants: outcome.invariants.map(({ id, pass, detail }) => ({ detail, id, pass })),
    ...(outcome.jail === undefined ? {} : { jail: jailMembers(outcome.jail) }),
    labels_after: outcome.labelsAfter,
    ...(outcome.obligations === undefined || outcome.obligations.length === 0
      ? {}
      : {
          obligations: outcome.obligations.map(({ obligation, fulfilled, detail }) => ({
            detail,
            fulfilled,
            obligation,
          })),
        }),
  })
  const after = JSON.stringify({
    resources:
      resources === null
        ? null
        : {
            cpu_ms: resources.cpuMs,
            max_rss: resources.maxRssBytes,
            ...(resources.peakMemoryBytes === undefined ? {} : { peak_memory: resources.peakMemoryBytes }),
            ...(resources.peakProcesses === undefined ? {} : { peak_processes: resources.peakProcesses }),
            ...(resources.readBytes === undefined ? {} : { read_bytes: resources.readBytes }),
            ...(resources.writtenBytes === undefined ? {} : { written_bytes: resources.writtenBytes }),
          },
    status: outcome.status,
  })
  return `${before.slice(0, -1)},${cut},${after.slice(1)}`
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false
  return true
}
