/** Types of elements, by their object id in every PostgreSQL (pg_type.dat). */
const oids = { bytea: 17, int8: 20, int4: 23, text: 25, uuid: 2950 } as const

/**
 * An array as PostgreSQL sends and receives it (`array_recv`): a parameter of bytes goes over as it is, while the text form
 * would have every quotation mark of every record escaped here and read again there.
 * Numbers must be safe integers; `null` is SQL's.
 */
export function int8Array(values: readonly number[]): Buffer {
  const { buffer, at } = header(oids.int8, values.length, values.length * 12, false)
  for (const [position, value] of values.entries()) {
    buffer.writeInt32BE(8, at + position * 12)
    buffer.writeBigInt64BE(BigInt(value), at + position * 12 + 4)
  }
  return buffer
}

/** @see int8Array */
export function int4Array(values: readonly number[]): Buffer {
  const { buffer, at } = header(oids.int4, values.length, values.length * 8, false)
  for (const [position, value] of values.entries()) {
    buffer.writeInt32BE(4, at + position * 8)
    buffer.writeInt32BE(value, at + position * 8 + 4)
  }
  return buffer
}

/** UUIDs in their canonical form. @see int8Array */
export function uuidArray(values: readonly string[]): Buffer {
  return byteaLike(
    oids.uuid,
    values.map((value) => Buffer.from(value.replaceAll('-', ''), 'hex')),
  )
}

/** @see int8Array */
export function byteaArray(values: readonly Uint8Array[]): Buffer {
  return byteaLike(oids.bytea, values)
}

/** @see int8Array */
export function textArray(values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? 0 : Buffer.byteLength(value)))
  const total = lengths.reduce((sum, length) => sum + 4 + length, 0)
  const { buffer, at: start } = header(oids.text, values.length, total, true)
  let at = start
  for (const [position, value] of values.entries()) {
    const length = lengths[position] ?? 0
    buffer.writeInt32BE(value === null ? -1 : length, at)
    if (value !== null) buffer.write(value, at + 4)
    at += 4 + length
  }
  return buffer
}

function byteaLike(oid: number, values: readonly Uint8Array[]): Buffer {
  const total = values.reduce((sum, { length }) => sum + 4 + length, 0)
  const { buffer, at: start } = header(oid, values.length, total, false)
  let at = start
  for (const value of values) {
    buffer.writeInt32BE(value.length, at)
    buffer.set(value, at + 4)
    at += 4 + value.length
  }
  return buffer
}

/** Dimensions, whether there are nulls, type; and for the one dimension its length and where it begins. */
function header(oid: number, length: number, bytes: number, hasNulls: boolean): { buffer: Buffer; at: number } {
  const at = length === 0 ? 12 : 20
  const buffer = Buffer.allocUnsafe(at + bytes)
  buffer.writeInt32BE(length === 0 ? 0 : 1, 0)
  buffer.writeInt32BE(hasNulls ? 1 : 0, 4)
  buffer.writeInt32BE(oid, 8)
  if (length > 0) {
    buffer.writeInt32BE(length, 12)
    buffer.writeInt32BE(1, 16)
  }
  return { buffer, at }
}
