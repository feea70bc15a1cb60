import { isJsonObject } from '../../kernel/index.ts'

/** What a receiver said that it did not keep of what it took. */
export interface PartialSuccess {
  readonly rejectedSpans: number
  /** The receiver's words, shortened; empty where it gave none. */
  readonly message: string
}

const maxMessageLength = 200

/**
 * Reads what a receiver answers to spans that it took: the protobuf message `ExportTraceServiceResponse`, or the same as
 * JSON. `null` where nothing was rejected, and where the answer is not one: with a status of 200 the spans are taken,
 * whatever the body says.
 */
export function readTraceAnswer(contentType: string, body: Uint8Array): PartialSuccess | null {
  const partial = contentType.includes('json') ? partialOfJson(body) : partialOfProtobuf(body)
  if (partial === null || !(partial.rejectedSpans > 0)) return null
  const printable = partial.message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, maxMessageLength)
  return { rejectedSpans: partial.rejectedSpans, message: printable }
}

function partialOfJson(body: Uint8Array): PartialSuccess | null {
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    const partial = isJsonObject(answer) ? answer['partialSuccess'] : null
    if (!isJsonObject(partial)) return null
    const { rejectedSpans, errorMessage } = partial
    return { rejectedSpans: Number(rejectedSpans), message: typeof errorMessage === 'string' ? errorMessage : '' }
  } catch {
    // No JSON: says nothing.
    return null
  }
}

function partialOfProtobuf(body: Uint8Array): PartialSuccess | null {
  const partial = fieldsOf(body)?.find(({ field, bytes }) => field === 1 && bytes !== null)?.bytes
  const fields = partial == null ? null : fieldsOf(partial)
  if (fields === null) return null
  const rejected = fields.find(({ field, bytes }) => field === 1 && bytes === null)?.value ?? 0n
  const message = fields.find(({ field, bytes }) => field === 2 && bytes !== null)?.bytes
  return { rejectedSpans: Number(BigInt.asIntN(64, rejected)), message: Buffer.from(message ?? []).toString('utf8') }
}

interface Field {
  readonly field: number
  /** Of a field with a length; `null` for a number. */
  readonly bytes: Uint8Array | null
  readonly value: bigint
}

/** The fields of a message in their order, `null` where the bytes are none. Numbers of fixed width are passed over. */
function fieldsOf(message: Uint8Array): Field[] | null {
  const fields: Field[] = []
  let at = 0
  const varint = (): bigint | null => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at]
      if (byte === undefined) return null
      at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return null
  }
  while (at < message.length) {
    const tag = varint()
    if (tag === null) return null
    const [field, type] = [Number(tag >> 3n), Number(tag & 7n)]
    if (type === 1 || type === 5) {
      at += type === 1 ? 8 : 4
      continue
    }
    const value = type === 0 || type === 2 ? varint() : null
    if (value === null) return null
    if (type === 0) {
      fields.push({ field, bytes: null, value })
      continue
    }
    if (value > BigInt(message.length - at)) return null
    fields.push({ field, bytes: message.subarray(at, at + Number(value)), value: 0n })
    at += Number(value)
  }
  return at === message.length ? fields : null
}
