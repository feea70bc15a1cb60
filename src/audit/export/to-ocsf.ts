import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { CallExplanation } from '../call-explanation.ts'
import type { StoredRecord } from '../record.ts'
import { startSentence } from '../start-sentence.ts'
import { parseObject } from '../stored-envelope.ts'

const schemaVersion = '1.6.0'
const classUid = 6003

/** `activity_id` of OCSF: what the call does, as far as its kind tells. A tool can do anything. */
const activities = { create: 1, read: 2, update: 3, delete: 4, other: 99 } as const

/**
 * A call as one OCSF event of the class API Activity (6003) with the profile `security_control`: at its end, or when it
 * was refused. Holds neither arguments nor results. `metadata.uid` is the id of the record that ended it, so that an
 * event which is sent twice is known for the same.
 */
export function toOcsf(call: CallExplanation, productVersion: string): JsonObject {
  const allowed = call.decision.effect === 'allow'
  const { outcome } = call
  const failed = !allowed || (outcome !== null && outcome.status !== 'ok')
  const status = allowed ? (outcome?.status ?? 'under way') : call.decision.basis
  const last = call.records.at(-1)
  const reasons = call.decision.rules.map(({ reason }) => reason).filter((reason) => reason !== null)
  return {
    ...classification(activityOf(call), failed ? 2 : 1),
    time: Date.parse(outcome?.time ?? call.time),
    message: `${call.who.id} ${allowed ? 'was allowed' : 'was refused'} ${call.what.tool}${reasons.length === 0 ? '' : `: ${reasons.join(' ')}`}`,
    status_id: failed ? 2 : 1,
    status: failed ? 'Failure' : 'Success',
    status_code: status,
    ...(outcome?.detail == null ? {} : { status_detail: outcome.detail }),
    action_id: allowed ? 1 : 2,
    action: allowed ? 'Allowed' : 'Denied',
    disposition_id: allowed ? 1 : 2,
    disposition: allowed ? 'Allowed' : 'Blocked',
    is_alert: (outcome?.failedInvariants ?? []).length > 0,
    authorizations: call.decision.rules.map(({ id, effect, reason }) => ({
      decision: effect === 'permit' ? 'allowed' : 'denied',
      policy: {
        uid: id,
        name: id,
        ...(reason === null ? {} : { desc: reason }),
        is_applied: true,
        ...(call.decision.policySetHash === null ? {} : { version: call.decision.policySetHash }),
      },
    })),
    actor: {
      user: {
        uid: call.who.id,
        name: call.who.id,
        // 3 is System: agents and jobs; 1 is User.
        type_id: call.who.type === 'user' ? 1 : 3,
        groups: call.who.groups.map((name) => ({ name })),
        credential_uid: call.who.credentialId,
      },
      ...(call.who.claimedName === null ? {} : { app_name: call.who.claimedName }),
    },
    api: {
      operation: call.what.tool,
      service: { name: call.what.service ?? 'mcpworks' },
      request: { uid: call.call },
      response: failed ? { error: status } : { code: 0 },
      version: call.what.method,
    },
    resources: [{ name: call.what.tool, type: call.what.door, namespace: call.namespace }],
    src_endpoint: call.who.address === '' ? { name: 'none' } : { ip: call.who.address },
    metadata: { ...metadata(call.namespace, last?.id ?? call.call, productVersion), correlation_uid: call.run },
    unmapped: {
      call: call.call,
      run: call.run,
      parent_call: call.parentCall,
      basis: call.decision.basis,
      policy_set_hash: call.decision.policySetHash,
      definition_hash: call.facts.definitionHash,
      duration_ms: outcome?.durationMs ?? null,
      labels: [...call.facts.labels],
      records: call.records.map(({ index, id, kind }) => ({ index, id, kind })),
    },
  }
}

/** Kinds of records that somebody should look at. */
const alerting: ReadonlySet<string> = new Set(['alarm', 'quarantine'])

/** A record that is about no call (a refusal at the door, a credential, policies, a start) as an event of that class. */
export function eventToOcsf(stored: StoredRecord, productVersion: string): JsonObject {
  const event = parseObject(stored.json)?.['event']
  const facts = isJsonObject(event) ? event : {}
  const denied = stored.kind === 'denied-at-door'
  const principal = textOf(facts['principal']) ?? textOf(facts['principalId']) ?? 'unknown'
  const address = textOf(facts['address']) ?? textOf(facts['network'])
  return {
    ...classification(denied ? activities.other : activities.update, denied ? 2 : 1),
    time: stored.timeMs,
    message: stored.kind === 'start' ? (startSentence(facts) ?? stored.kind) : stored.kind,
    status_id: denied ? 2 : 1,
    status: denied ? 'Failure' : 'Success',
    action_id: denied ? 2 : 1,
    action: denied ? 'Denied' : 'Allowed',
    disposition_id: denied ? 2 : 1,
    disposition: denied ? 'Blocked' : 'Allowed',
    ...(alerting.has(stored.kind) ? { is_alert: true } : {}),
    actor: { user: { uid: principal, name: principal, type_id: 0 } },
    api: { operation: textOf(facts['type']) ?? textOf(facts['route']) ?? stored.kind, service: { name: 'mcpworks' } },
    src_endpoint: address === null ? { name: 'none' } : { ip: address },
    metadata: metadata(stored.namespace, stored.id, productVersion),
    unmapped: { record: stored.index, event: facts },
  }
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function classification(activityId: number, severityId: number): JsonObject {
  return {
    category_uid: 6,
    category_name: 'Application Activity',
    class_uid: classUid,
    class_name: 'API Activity',
    activity_id: activityId,
    type_uid: classUid * 100 + activityId,
    // 1 is Informational, 2 is Low: what is refused is for somebody to look at, and happens all day.
    severity_id: severityId,
  }
}

function metadata(namespace: string, uid: string, version: string): JsonObject {
  return {
    version: schemaVersion,
    product: { name: 'MCPWorks', vendor_name: 'MCPWorks', version },
    profiles: ['security_control'],
    log_name: namespace,
    tenant_uid: namespace,
    uid,
  }
}

function activityOf({ what }: CallExplanation): number {
  if (what.method.startsWith('audit.')) return activities.read
  if (what.method.startsWith('resources/') || what.method.startsWith('prompts/')) return activities.read
  if (!/^[a-z]+\.[a-z-]+$/.test(what.method)) return activities.other
  if (/\.(?:list|show|check|test|explain|history|doctor)$/.test(what.method)) return activities.read
  if (/\.(?:add|create)$/.test(what.method)) return activities.create
  return /\.(?:revoke|remove|disconnect)$/.test(what.method) ? activities.delete : activities.update
}
