import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/index.ts'

/** What the verifier needs of a record's text. */
export interface StoredEnvelope {
  readonly id: string
  readonly kind: string
  readonly call: string
  readonly namespace: string
  readonly time: string
  readonly principal: string | null
  readonly effect: string | null
  /** Of records that are not about a call. */
  readonly event: JsonObject | null
  readonly writer: {
    readonly id: string
    readonly epoch: number
    readonly seq: number
    readonly prevHash: string | null
  }
  readonly bodies: readonly {
    readonly part: 'input' | 'output' | 'engine_input'
    readonly commitment: string
    readonly bytes: number
  }[]
}

/** Reads the envelope of a record's text; `null` where it is not a record. */
export function readEnvelope(json: string): StoredEnvelope | null {
  const record = parseObject(json)
  const writer = member(record, 'writer')
  if (record === null || writer === null) return null
  const { id, kind, call, namespace, time } = record
  const { id: writerId, epoch, seq } = writer
  const isEnvelope =
    isText(id) &&
    isText(kind) &&
    isText(call) &&
    isText(namespace) &&
    isText(time) &&
    isText(writerId) &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(seq)
  if (!isEnvelope) return null
  const pre = member(record, 'pre')
  const decision = member(record, 'decision')
  const envelope = {
    id,
    kind,
    call,
    namespace,
    time,
    principal: member(pre, 'principal')?.['id'] ?? null,
    effect: decision?.['effect'] ?? null,
    event: member(record, 'event'),
    writer: { id: writerId, epoch, seq, prevHash: writer['prev_hash'] ?? null },
    bodies: bodiesOf(pre, member(record, 'outcome'), decision),
  }
  return envelope as StoredEnvelope
}

/** The object that a record's text holds; `null` where it is not one. */
export function parseObject(json: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(json)
    return isJsonObject(value) ? value : null
  } catch {
    // Text that is not JSON is not a record: the caller reports it as such.
    return null
  }
}

function member(object: JsonObject | null, name: string): JsonObject | null {
  const value: JsonValue | undefined = object?.[name]
  return isJsonObject(value) ? value : null
}

function bodiesOf(pre: JsonObject | null, outcome: JsonObject | null, decision: JsonObject | null) {
  const bodies = []
  const input = member(pre, 'input')
  if (input !== null) bodies.push({ part: 'input', commitment: input['commitment'], bytes: input['bytes'] })
  const output = member(outcome, 'output')
  if (output !== null) bodies.push({ part: 'output', commitment: output['commitment'], bytes: output['bytes'] })
  const request = decision?.['request_hash'] ?? null
  if (request !== null) bodies.push({ part: 'engine_input', commitment: request, bytes: decision?.['request_bytes'] })
  return bodies
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string'
}
