import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'
import type { EventDraft } from './record.ts'
import { mayHoldSecrets, withoutSecrets } from './secret-patterns.ts'

/** Kinds whose events hold texts of people and of strangers. Those of others are the log's own, and its verifier reads them. */
const kindsWithTexts: ReadonlySet<EventDraft['kind']> = new Set([
  'approval',
  'credential',
  'denied-at-door',
  'legal-hold',
  'policy-change',
  'quarantine',
])

/** Members that name something, and have forms of their own: they are compared with, and searched for. */
const names =
  /^(?:type|code|method|address|network|namespace|principal|subject|credential|requester|tool|service|client|by|for|approval|hold|link|outcome|release|asked_by_call|policy_set|replaces|.*(?:_hash|_id|Id|[tT]humbprint))$/

/** An event without what looks like a credential in the texts that somebody else chose: comments, reasons, names, addresses. */
export function plainEvent({ kind, event }: Pick<EventDraft, 'kind' | 'event'>): EventDraft['event'] {
  if (!kindsWithTexts.has(kind) || !mayHoldSecrets(JSON.stringify(event))) return event
  return plainMembers(event)
}

function plainMembers(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      typeof value === 'string' && names.test(name) ? value : plainValue(value),
    ]),
  )
}

function plainValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return withoutSecrets(value).text
  if (Array.isArray(value)) return value.map(plainValue)
  return isJsonObject(value) ? plainMembers(value) : value
}
