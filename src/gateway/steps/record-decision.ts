import type { BodyDraft, DecisionDraft, Receipt } from '../../audit/index.ts'
import type { AccessTokenFacts, Caller, Digest, JsonObject } from '../../kernel/index.ts'
import type { IdentifiedCall, Target, Verdict } from '../call.ts'
import type { Effect } from '../effect.ts'
import type { GatewayPorts } from '../ports.ts'
import { keptEngineInput, keptInput, type BodyRules } from '../recorded/kept-body.ts'
import type { Redaction } from '../recorded/redaction.ts'
import { spendOf, type Use } from './count-use.ts'
import type { Judgement } from './judge.ts'
import type { Keeping } from './kept-level.ts'

/**
 * Makes the decision durable. Resolves only when it is on stable storage; until then nothing has happened.
 * @throws McpworksError `audit_unavailable`: nothing may be run.
 */
export async function recordDecision(
  call: IdentifiedCall,
  target: Target,
  judged: Pick<Judgement, 'verdict' | 'atMs' | 'use'>,
  keeping: Keeping,
  ports: GatewayPorts,
): Promise<Receipt> {
  return await ports.decisionLog.append(draft(call, target, judged, keeping, ports))
}

function draft(
  call: IdentifiedCall,
  target: Target,
  { verdict, atMs: evaluatedAtMs, use }: Pick<Judgement, 'verdict' | 'atMs' | 'use'>,
  keeping: Keeping,
  ports: GatewayPorts,
): DecisionDraft {
  const { principal, authentication, client } = call.caller
  const { token } = authentication
  const { level, redaction } = keeping
  const rules = { redaction, maxBytes: ports.config.maxAuditBodyBytes }
  const schema = target.entry?.inputSchema ?? null
  // Before anything is written: what is secret in the arguments is secret in all that follows, whatever is kept of them.
  const input = level === 'metadata' ? null : inputOf(call.effect, schema, rules)
  if (input === null && 'arguments' in call.effect) redaction.named(call.effect.arguments, schema)
  const plain = (text: string, maxLength: number) => redaction.plain(text, maxLength)
  const plainOrNull = (text: string | null) => (text === null ? null : plain(text, maxChosenLength))
  const runtime = target.entry?.runtime ?? null
  const sandbox =
    runtime === null ? null : ports.sandbox(runtime, verdict.kind === 'allowed' ? verdict.duties.profile : null)
  return {
    kind: 'decision',
    namespace: call.namespace,
    run: call.run,
    call: call.call,
    parentCall: call.parent?.call ?? null,
    trace: call.facts.trace,
    mcp: {
      method: call.facts.method,
      protocolVersion: plainOrNull(call.facts.protocolVersion),
      requestId: plainOrNull(call.facts.requestId),
    },
    pre: {
      principal: {
        type: principal.type,
        id: principal.id,
        groups: principal.groups,
        onBehalfOf: onBehalfOf(call.caller),
      },
      authn: {
        method: authentication.method,
        credentialId: authentication.credentialId,
        senderConstrained: authentication.senderConstrained,
        ...(authentication.binding === undefined ? {} : { binding: authentication.binding }),
        ...(authentication.keyThumbprint === undefined ? {} : { keyThumbprint: authentication.keyThumbprint }),
        expiresAtMs: authentication.expiresAtMs,
        ...(token === undefined ? {} : { token: tokenOf(token) }),
      },
      client: { address: client.address, claimedName: plainOrNull(client.claimedName) },
      door: call.door,
      target: {
        service: target.entry?.service ?? null,
        tool: plain(nameOf(call.effect), maxNameLength),
        definitionHash: target.entry?.definitionHash ?? null,
        codeHash: target.entry?.codeHash ?? null,
      },
      sandbox: sandbox === null || runtime === null ? null : { ...sandbox, runtime },
      labelsBefore: call.labels,
      derived: derivedOf(verdict, redaction),
      ...(use === null ? {} : { quota: quotaOf(use, verdict) }),
      ...approvalOf(verdict),
    },
    decision: decisionOf(verdict, evaluatedAtMs, ports.policy.policySetHash(call.namespace), plain),
    bodies: {
      input,
      engineInput:
        level === 'metadata' || !('decision' in verdict)
          ? null
          : keptEngineInput(verdict.decision.engineInput, schema, rules),
    },
  }
}

/** Never its id, which revocation and some issuers take for the token. */
function tokenOf({ issuer, clientId, actors, tokenIdHmac }: AccessTokenFacts) {
  return { issuer, clientId, actors, ...(tokenIdHmac === undefined ? {} : { idHmac: tokenIdHmac }) }
}

/** What was used before the call, and what the call adds where it is allowed. */
function quotaOf({ key, before }: Use, verdict: Verdict): NonNullable<DecisionDraft['pre']['quota']> {
  return {
    target: key.target,
    agent: before.agent,
    tool: before.tool,
    spend: verdict.kind === 'allowed' ? spendOf(verdict.decision) : 0,
    retryAfterSeconds: verdict.kind === 'denied' ? verdict.retryAfterSeconds : null,
  }
}

/** The facts that policy decided on, as far as they may stand in the clear. */
function derivedOf(verdict: Verdict, redaction: Redaction): JsonObject {
  const derived = 'decision' in verdict ? verdict.decision.derived : null
  if (derived === null) return {}
  const { extractorHash, facts, untold } = derived
  const told = redaction.mayConcern(JSON.stringify(facts), null) ? redaction.swept(facts) : { value: facts }
  const kept = told?.value ?? { omitted: 'too many secrets' }
  return { extractor_hash: extractorHash, facts: kept, ...(untold.length === 0 ? {} : { untold: [...untold] }) }
}

/** The approval that was spent, or the request that was made: nobody has decided on that one. */
function approvalOf(verdict: Verdict): Pick<DecisionDraft['pre'], 'approval'> {
  if (verdict.kind !== 'allowed' && verdict.kind !== 'denied') return {}
  const { approval } = verdict
  if (approval === undefined || approval.kind === 'refused') return {}
  const { id } = approval
  if (approval.kind === 'granted') return { approval: { id, by: approval.by, atMs: approval.atMs } }
  return { approval: { id, by: null, atMs: null } }
}

/** The principal is whose rights are used; where others act with them, the present actor acts for all the rest. */
function onBehalfOf({ principal, authentication }: Caller): string[] {
  const actors = authentication.token?.actors ?? []
  return actors.length === 0 ? [] : [...actors.slice(1), principal.id]
}

/** What is unknown to the caller was hidden, if it is there, by the policies in force: `policySetHash` names them. */
function decisionOf(
  verdict: Verdict,
  evaluatedAtMs: number,
  policySetHash: Digest | null,
  plain: (text: string, maxLength: number) => string,
): DecisionDraft['decision'] {
  const known = 'decision' in verdict ? verdict.decision : null
  return {
    effect: verdict.kind === 'allowed' ? 'allow' : 'deny',
    basis: basisOf(verdict),
    engine: known?.engine ?? null,
    policySetHash: known?.policySetHash ?? (verdict.kind === 'unknown' ? policySetHash : null),
    schemaHash: known?.schemaHash ?? null,
    entitiesHash: known?.entitiesHash ?? null,
    requestHash: known?.requestHash ?? null,
    determining: known?.determining ?? [],
    errors: [
      ...(known?.errors ?? []).map(({ policyId, message }) => ({ policyId, message: plain(message, maxErrorLength) })),
      ...(verdict.kind === 'unknown'
        ? [{ policyId: null, message: 'answered as unknown: no such thing, or not one that the caller may know of' }]
        : []),
      ...(verdict.kind === 'barred' ? [{ policyId: null, message: plain(verdict.sentence, maxErrorLength) }] : []),
      // The count only: names and values in the arguments are the caller's, and a record is kept for long.
      ...(verdict.kind === 'invalid'
        ? [{ policyId: null, message: `the arguments break the input schema (${verdict.problems.length} problems)` }]
        : []),
    ],
    obligations: known?.obligations ?? [],
    evaluatedAtMs,
    durationUs: known?.durationUs ?? 0,
    mode: 'enforce',
  }
}

function basisOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'allowed':
    case 'denied':
      return verdict.decision.basis
    case 'invalid':
      return 'error'
    case 'barred':
      return 'barred'
    case 'unknown':
      return 'default-deny'
  }
}

/** Longest name of a target in a record, in UTF-16 units. Nothing but a URI has a longer one. */
const maxNameLength = 512
/** Of the other texts that a caller chooses: ids of requests, what a client calls itself. */
const maxChosenLength = 256
/** Of a message of the policy engine, which may quote an argument. */
const maxErrorLength = 2000

/** What the caller asked for by name: the caller's words, and records keep them in the clear for long. */
function nameOf(effect: Effect): string {
  switch (effect.kind) {
    case 'call':
      return effect.tool
    case 'read':
      return effect.uri
    case 'prompt':
      return effect.name
    case 'complete':
      return completedName(effect.ref)
    case 'manage':
    case 'approve':
    case 'audit':
      return effect.operation
  }
}

function completedName({ type, name, uri }: JsonObject): string {
  const about = type === 'ref/prompt' ? name : uri
  return typeof about === 'string' ? about : ''
}

function inputOf(effect: Effect, schema: JsonObject | null, rules: BodyRules): BodyDraft {
  switch (effect.kind) {
    case 'call':
    case 'prompt': {
      const rest = effect.resume === null ? null : { inputResponses: effect.resume.inputResponses }
      return keptInput(effect.arguments, rest, schema, rules)
    }
    case 'read':
      return keptInput({ uri: effect.uri }, null, null, rules)
    case 'complete':
      return keptInput({ ref: effect.ref, argument: effect.argument }, null, null, rules)
    case 'manage':
    case 'approve':
    case 'audit':
      return keptInput(effect.arguments, null, null, rules)
  }
}
