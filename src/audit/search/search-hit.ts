import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { StoredRecord } from '../record.ts'
import type { SearchHit } from './log-search.ts'

/** One record with its text read. */
export interface ReadRecord {
  readonly stored: StoredRecord
  readonly record: JsonObject
}

/** Lists of an event that are longer are left out: they are in the record. */
const longestList = 20

/** What is shown of a call, or of a record that is about none. `records` is not empty, in the order of writing. */
export function searchHit(records: readonly [ReadRecord, ...ReadRecord[]]): SearchHit {
  const [first] = records
  const { stored, record } = first
  return {
    position: stored.index,
    time: new Date(stored.timeMs).toISOString(),
    kind: stored.kind,
    call: stored.call,
    run: text(record['run']),
    parentCall: textOrNull(record['parent_call']),
    called: stored.kind === 'decision' ? called(records) : null,
    event: stored.kind === 'decision' ? null : shortened(objectAt(record, 'event')),
    records: records.map(({ stored: { kind, index, id, timeMs } }) => ({
      kind,
      index,
      id,
      time: new Date(timeMs).toISOString(),
    })),
  }
}

function called([decided, ...later]: readonly [ReadRecord, ...ReadRecord[]]): SearchHit['called'] {
  const pre = objectAt(decided.record, 'pre')
  const target = objectAt(pre, 'target')
  const decision = objectAt(decided.record, 'decision')
  const ended = later.find(({ stored }) => stored.kind === 'outcome')
  const isAbandoned = ended === undefined && later.some(({ stored }) => stored.kind === 'abandoned')
  const outcome = objectAt(ended?.record ?? {}, 'outcome')
  return {
    principal: text(objectAt(pre, 'principal')['id']),
    method: text(objectAt(decided.record, 'mcp')['method']),
    tool: text(target['tool']),
    service: textOrNull(target['service']),
    door: text(pre['door']),
    effect: text(decision['effect']),
    basis: text(decision['basis']),
    rules: listAt(decision, 'determining')
      .filter(isJsonObject)
      .map((rule) => ({ id: text(rule['id']), effect: text(rule['effect']), reason: textOrNull(rule['reason']) })),
    errors: listAt(decision, 'errors')
      .filter(isJsonObject)
      .map((error) => text(error['message'])),
    status: isAbandoned ? 'abandoned' : textOrNull(outcome['status']),
    detail: textOrNull(outcome['detail']),
    durationMs: numberOrNull(outcome['duration_ms']),
    innerCalls: numberOrNull(outcome['inner_calls']) ?? 0,
    labels: [
      ...new Set([...listAt(pre, 'labels_before'), ...listAt(outcome, 'labels_after')].map((label) => text(label))),
    ],
  }
}

function shortened(event: JsonObject): JsonObject {
  const members = Object.entries(event).filter(([, value]) => !Array.isArray(value) || value.length <= longestList)
  return Object.fromEntries(members)
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name]
  return isJsonObject(value) ? value : {}
}

function listAt(object: JsonObject, name: string): JsonValue[] {
  const value = object[name]
  return Array.isArray(value) ? value : []
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

function textOrNull(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function numberOrNull(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null
}
