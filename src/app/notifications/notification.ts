import type { StoredRecord } from '../../audit/index.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { mergeObligations } from '../../policy/index.ts'

/** What a channel is told of an allowed call, or of one that waits for a person: who, what and which rules. No argument and no result is in it. */
export interface Notification {
  /** Of the record that the decision is in: the same each time that it is told. */
  readonly id: string
  readonly type: 'call.allowed' | 'approval.requested' | 'output.quarantined' | 'alarm.raised'
  readonly channels: readonly string[]
  readonly about: JsonObject
}

/** The notification that a record asks for, `null` where it asks for none. `approvalChannels` are told what waits for a person, `alertChannels` what went wrong. */
export function notificationOf(
  stored: StoredRecord,
  approvalChannels: readonly string[] = [],
  alertChannels: readonly string[] = [],
): Notification | null {
  if (stored.kind === 'quarantine') return ofQuarantine(stored, alertChannels)
  if (stored.kind === 'alarm') return ofAlarm(stored, alertChannels)
  return stored.kind === 'approval' ? ofRequest(stored, approvalChannels) : ofDecision(stored)
}

/** What did not hold, and of which call. */
function ofQuarantine(
  { id, namespace, call, json, timeMs }: StoredRecord,
  channels: readonly string[],
): Notification | null {
  const event = objectOf(objectOf(JSON.parse(json === '' ? '{}' : json) as JsonValue)['event'])
  if (channels.length === 0 || event['type'] !== 'quarantined') return null
  const about = {
    record: id,
    time: new Date(timeMs).toISOString(),
    namespace,
    call,
    principal: event['principal'] ?? null,
    service: event['service'] ?? null,
    tool: event['tool'] ?? null,
    invariants: event['invariants'] ?? [],
  }
  return { id, type: 'output.quarantined', channels, about }
}

/** What an alarm says, without the checkpoints that it may hold: those are in the record. */
function ofAlarm({ id, namespace, json, timeMs }: StoredRecord, channels: readonly string[]): Notification | null {
  if (channels.length === 0) return null
  const {
    ours: _,
    theirs: _also,
    ...alarm
  } = objectOf(objectOf(JSON.parse(json === '' ? '{}' : json) as JsonValue)['event'])
  const about = { record: id, time: new Date(timeMs).toISOString(), namespace, alarm }
  return { id, type: 'alarm.raised', channels, about }
}

/** Where to look at it and decide is for who may: nothing here lets anybody in. */
function ofRequest(
  { id, namespace, call, json, timeMs }: StoredRecord,
  channels: readonly string[],
): Notification | null {
  if (channels.length === 0) return null
  const event = objectOf(objectOf(JSON.parse(json) as JsonValue)['event'])
  if (event['type'] !== 'requested') return null
  const about = {
    record: id,
    time: new Date(timeMs).toISOString(),
    namespace,
    call,
    approval: event['approval'] ?? null,
    principal: event['principal'] ?? null,
    service: event['service'] ?? null,
    tool: event['tool'] ?? null,
    door: event['door'] ?? null,
    rules: event['rules'] ?? [],
    expires: event['expires'] ?? null,
  }
  return { id, type: 'approval.requested', channels, about }
}

function ofDecision({ id, namespace, call, json, timeMs }: StoredRecord): Notification | null {
  // Most records ask for none, and are not worth parsing.
  if (!json.includes('notify ')) return null
  const record = objectOf(JSON.parse(json) as JsonValue)
  const decision = objectOf(record['decision'])
  const obligations = textsOf(decision['obligations'])
  const channels = decision['effect'] === 'allow' ? mergeObligations(obligations).notify : []
  if (channels.length === 0) return null
  const pre = objectOf(record['pre'])
  const [principal, target] = [objectOf(pre['principal']), objectOf(pre['target'])]
  const rules = Array.isArray(decision['determining']) ? decision['determining'] : []
  const about = {
    record: id,
    time: new Date(timeMs).toISOString(),
    namespace,
    call,
    run: record['run'] ?? null,
    parent_call: record['parent_call'] ?? null,
    principal: principal['id'] ?? null,
    service: target['service'] ?? null,
    tool: target['tool'] ?? null,
    door: pre['door'] ?? null,
    rules: rules.map((rule) => objectOf(rule)['id'] ?? null),
  }
  return { id, type: 'call.allowed', channels, about }
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []
}
