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
  const pre = member(record, 'pre')
  const decision = member(record, 'decision')
  const envelope = {
    id: record?.['id'],
    kind: record?.['kind'],
    call: record?.['call'],
    namespace: record?.['namespace'],
    time: record?.['time'],
    principal: member(pre, 'principal')?.['id'] ?? null,
    effect: decision?.['effect'] ?? null,
    event: member(record, 'event'),
    writer: {
      id: writer?.['id'],
      epoch: writer?.['epoch'],
      seq: writer?.['seq'],
      prevHash: writer?.['prev_hash'] ?? null,
    },
    bodies: [
      ...body('input', member(pre, 'input')),
      ...body('output', member(member(record, 'outcome'), 'output')),
      ...(decision?.['request_hash'] == null
        ? []
        : [{ part: 'engine_input', commitment: decision['request_hash'], bytes: decision['request_bytes'] }]),
    ],
  }
  const texts = [envelope.id, envelope.kind, envelope.call, envelope.namespace, envelope.time, envelope.writer.id]
  const numbers = [envelope.writer.epoch, envelope.writer.seq]
  const fits =
    texts.every((text) => typeof text === 'string') && numbers.every((number) => Number.isSafeInteger(number))
  return fits ? (envelope as StoredEnvelope) : null
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

function body(part: string, reference: JsonObject | null) {
  return reference === null ? [] : [{ part, commitment: reference['commitment'], bytes: reference['bytes'] }]
}
