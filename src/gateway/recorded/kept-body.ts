import type { BodyDraft } from '../../audit/index.ts'
import { isJsonObject, sha256, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { Redacted, Redaction } from './redaction.ts'

/** How bodies of one exchange are kept. */
export interface BodyRules {
  readonly redaction: Redaction
  /** A larger text is replaced by its size and digest, so that one call cannot fill the disk. */
  readonly maxBytes: number
}

/** The arguments of a call, and what came with them in a later round. `schema` is that of the arguments. */
export function keptInput(
  args: JsonValue,
  rest: JsonObject | null,
  schema: JsonObject | null,
  { redaction, maxBytes }: BodyRules,
): BodyDraft {
  const named = redaction.named(args, schema)
  const value = rest === null ? named.value : { arguments: named.value, ...rest }
  return kept(value, named.count, { redaction, maxBytes })
}

/** A tool's result, or whatever else went out, with what its code printed. `schema` is that of structured content. */
export function keptOutput(
  given: JsonObject,
  printed: { readonly stdout: string; readonly stderr: string } | null,
  schema: JsonObject | null,
  { redaction, maxBytes }: BodyRules,
): BodyDraft {
  let count = 0
  const named = (value: JsonValue): Redacted => {
    const found = redaction.named(value, schema)
    count += found.count
    return found
  }
  const { structuredContent, content } = given
  const result = {
    ...given,
    ...(structuredContent === undefined ? {} : { structuredContent: named(structuredContent).value }),
    ...(Array.isArray(content) && redaction.marks(schema)
      ? { content: content.map((item) => withNamedText(item, named)) }
      : {}),
  }
  return kept(printed === null ? result : { result, ...printed }, count, { redaction, maxBytes })
}

/** The exact input of the policy engine. Where something is taken out of it, it is not exact any more. */
export function keptEngineInput(
  text: string,
  schema: JsonObject | null,
  { redaction, maxBytes }: BodyRules,
): BodyDraft {
  if (!redaction.mayConcern(text, schema)) return bounded(text, 0, maxBytes)
  const input = JSON.parse(text) as JsonObject
  const { context } = input
  const args = isJsonObject(context) ? context.args : undefined
  if (!isJsonObject(context) || args === undefined) return kept(input, 0, { redaction, maxBytes })
  const named = redaction.named(args, schema)
  return kept({ ...input, context: { ...context, args: named.value } }, named.count, { redaction, maxBytes })
}

/** Text that is the JSON of what the schema is about holds the same secrets, in an embedded resource too. */
function withNamedText(item: JsonValue, named: (value: JsonValue) => Redacted): JsonValue {
  if (!isJsonObject(item)) return item
  const { text, resource } = item
  return {
    ...item,
    ...(typeof text === 'string' ? { text: namedText(text, named) } : {}),
    ...(resource === undefined ? {} : { resource: withNamedText(resource, named) }),
  }
}

/** A value that is no object stands as it is in the text, and as the member `result` in structured content. */
function namedText(text: string, named: (value: JsonValue) => Redacted): string {
  const value = readJson(text)
  try {
    const whole = named(value)
    const wrapped = named({ result: whole.value })
    if (whole.count + wrapped.count === 0) return text
    const left = isJsonObject(wrapped.value) ? wrapped.value.result : null
    return typeof left === 'string' ? left : JSON.stringify(left)
  } catch {
    // Nested deeper than can be looked through: what nobody has seen is not kept.
    return '[redacted]'
  }
}

/** The value that a text is the JSON of, with white space around it; the text itself where it is none. */
function readJson(text: string): JsonValue {
  try {
    return JSON.parse(text.trim()) as JsonValue
  } catch {
    return text
  }
}

function kept(value: JsonValue, found: number, { redaction, maxBytes }: BodyRules): BodyDraft {
  const json = JSON.stringify(value)
  if (Buffer.byteLength(json) > maxBytes || !redaction.mayConcern(json, null)) return bounded(json, found, maxBytes)
  const swept = redaction.swept(value)
  if (swept === null) return { json: JSON.stringify({ omitted: 'too many secrets' }), redactions: found + 1 }
  return bounded(JSON.stringify(swept.value), found + swept.count, maxBytes)
}

function bounded(json: string, redactions: number, maxBytes: number): BodyDraft {
  const counted = redactions === 0 ? {} : { redactions }
  const bytes = Buffer.byteLength(json)
  if (bytes <= maxBytes) return { json, ...counted }
  return { json: JSON.stringify({ omitted: 'over audit body limit', bytes, sha256: sha256(json) }), ...counted }
}
