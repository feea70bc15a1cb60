import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { Duties } from '../../policy/index.ts'
import type { Effect } from '../effect.ts'
import { jsonOf } from './json-text.ts'
import { createRowLimit, type RowLimit } from './limit-rows.ts'
import { mapResult } from './map-result.ts'
import { createRedaction, redactedMark, type Mark, type Redaction } from './redact-fields.ts'
import { Unfulfillable } from './unfulfillable.ts'

/** A result with everything taken out that the duties say, and what was done. */
export interface FulfilledResult {
  readonly result: JsonObject
  /** `null` where rows were not limited. */
  readonly rows: ReturnType<RowLimit['counted']> | null
  /** `null` where nothing had to be redacted. */
  readonly redacted: ReturnType<Redaction['counted']> | null
}

/** What may stand for a value that is taken out, tried in this order until the result fits its output schema. */
const marks: readonly Mark[] = [
  () => redactedMark,
  (value) => (typeof value === 'string' ? redactedMark : undefined),
  () => undefined,
  (value) => (typeof value === 'string' ? redactedMark : null),
]

/**
 * Limits rows, then redacts, in structured content and in every text. Text that repeats the structured content is written
 * anew from it; other text has to be JSON to be redacted, and prose is withheld.
 * `fits`: whether structured content keeps to the tool's output schema.
 * @throws Unfulfillable where the result cannot be given out
 */
export function fulfilResult(
  kind: Effect['kind'],
  given: JsonObject,
  { redact, limitRows }: Duties,
  fits: (structured: JsonValue) => boolean,
): FulfilledResult {
  const repeats = repetitions(given)
  const limit = limitRows === null ? null : createRowLimit(limitRows)
  const single = withoutRepetitions(given, repeats)
  const limited =
    limit === null
      ? single
      : mapResult(kind, single, {
          data: (value) => mapMembers(value, (member) => limit.limit(member)),
          text: (text) => limit.limitText(text),
          keepsPictures: true,
        })
  for (const mark of redact.length === 0 ? [null] : marks) {
    const redaction = mark === null ? null : createRedaction(redact, mark)
    const result = redaction === null ? limited : redacted(kind, limited, redaction)
    const { structuredContent } = result
    if (structuredContent !== undefined && !fits(structuredContent)) continue
    const counted = redaction?.counted() ?? null
    return { result: withRepetitions(result, repeats), rows: limit?.counted() ?? null, redacted: counted }
  }
  throw new Unfulfillable('what would be left breaks the output schema of the tool')
}

/**
 * Members that MCP gives a meaning are looked at one by one, because their names are no names of fields; all others
 * together.
 */
const ownMembers = new Set(['structuredContent', '_meta', 'isError', 'annotations'])

function mapMembers(value: JsonValue, map: (value: JsonValue) => JsonValue): JsonValue {
  if (!isJsonObject(value)) return map(value)
  const own = Object.entries(value).filter(([name]) => ownMembers.has(name))
  const others = Object.entries(value).filter(([name]) => !ownMembers.has(name))
  const mapped = own.map(([name, member]): [string, JsonValue] => [name, map(member)])
  const rest = map(Object.fromEntries(others))
  return { ...Object.fromEntries(mapped), ...(isJsonObject(rest) ? rest : {}) }
}

function redacted(kind: Effect['kind'], result: JsonObject, redaction: Redaction): JsonObject {
  const struck = mapResult(kind, result, {
    data: (value) => mapMembers(value, (member) => redaction.strike(withoutProse(member))),
    text: (text) => strikeText(text, redaction),
    keepsPictures: false,
  })
  return mapResult(kind, struck, {
    data: (value) => mapMembers(value, (member) => redaction.sweep(member)),
    text: (text) => sweepText(text, redaction),
    keepsPictures: false,
  })
}

const withheldProse = '[withheld: a policy redacts this result, and this is prose]'

/** In prose nobody can tell what belongs to a field. */
function strikeText(text: string, redaction: Redaction): string {
  const value = jsonOf(text)
  if (text === '' || typeof value === 'boolean' || value === null) return text
  return typeof value === 'object' ? JSON.stringify(redaction.strike(value)) : withheldProse
}

function sweepText(text: string, redaction: Redaction): string {
  const left = redaction.sweep(text)
  return typeof left === 'string' ? left : ''
}

/** A result that is one value wrapped is prose where that is a text. */
function withoutProse(value: JsonValue): JsonValue {
  const wrapped = wrappedValue(value)
  if (typeof wrapped !== 'string' || typeof jsonOf(wrapped) === 'object') return value
  return { result: withheldProse }
}

function wrappedValue(value: JsonValue): JsonValue | undefined {
  if (!isJsonObject(value)) return undefined
  const members = Object.keys(value)
  return members.length === 1 && members[0] === 'result' ? value['result'] : undefined
}

/** Text blocks that say what the structured content says, by their place: the whole of it, or its one wrapped value. */
type Repetitions = ReadonlyMap<number, 'whole' | 'wrapped'>

function repetitions({ content, structuredContent }: JsonObject): Repetitions {
  const found = new Map<number, 'whole' | 'wrapped'>()
  if (!Array.isArray(content) || !isJsonObject(structuredContent)) return found
  const whole = JSON.stringify(structuredContent)
  const wrapped = wrappedValue(structuredContent)
  for (const [index, block] of content.entries()) {
    if (!isJsonObject(block) || block['type'] !== 'text' || typeof block['text'] !== 'string') continue
    if (block['text'] === wrapped) found.set(index, 'wrapped')
    if (block['text'] === whole) {
      found.set(index, 'whole')
      continue
    }
    const value = jsonOf(block['text'])
    if (value === undefined) continue
    const text = JSON.stringify(value)
    if (text === whole) found.set(index, 'whole')
    else if (wrapped !== undefined && text === JSON.stringify(wrapped)) found.set(index, 'wrapped')
  }
  return found
}

function withoutRepetitions(result: JsonObject, repeats: Repetitions): JsonObject {
  const { content } = result
  if (!Array.isArray(content) || repeats.size === 0) return result
  return { ...result, content: content.filter((_, index) => !repeats.has(index)) }
}

function withRepetitions(result: JsonObject, repeats: Repetitions): JsonObject {
  const { content, structuredContent } = result
  if (!Array.isArray(content) || !isJsonObject(structuredContent) || repeats.size === 0) return result
  const blocks = [...content]
  for (const [index, how] of repeats) {
    const value = how === 'whole' ? structuredContent : (structuredContent['result'] ?? null)
    blocks.splice(index, 0, { type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) })
  }
  return { ...result, content: blocks }
}
