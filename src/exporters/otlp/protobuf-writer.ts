/**
 * Writes messages in the wire format of Protocol Buffers, as far as OTLP needs it. Fields that are left out have their
 * default; those that are written are written whatever their value. Everything goes into one buffer: a span has some
 * hundred fields, and a buffer for each would cost more than what is in them.
 */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(16 * 1024)
  #length = 0

  /** @param value 0 to 2^53 - 1 */
  varint(field: number, value: number): void {
    this.#tag(field, 0)
    this.#varint(value)
  }

  /** @param value whole, -2^53 + 1 to 2^53 - 1 */
  int64(field: number, value: number): void {
    this.#tag(field, 0)
    if (value >= 0) return this.#varint(value)
    // Ten bytes of two's complement.
    let rest = BigInt.asUintN(64, BigInt(value))
    this.#reserve(10)
    for (; rest > 0x7fn; rest >>= 7n) this.#buffer[this.#length++] = Number(rest & 0x7fn) | 0x80
    this.#buffer[this.#length++] = Number(rest)
  }

  /** @param value 0 to 2^64 - 1 */
  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1)
    this.#reserve(8)
    this.#length = this.#buffer.writeBigUInt64LE(value, this.#length)
  }

  double(field: number, value: number): void {
    this.#tag(field, 1)
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, 2)
    this.#varint(value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  string(field: number, value: string): void {
    const length = Buffer.byteLength(value)
    this.#tag(field, 2)
    this.#varint(length)
    this.#reserve(length)
    this.#length += this.#buffer.write(value, this.#length, length, 'utf8')
  }

  message(field: number, write: () => void): void {
    this.#tag(field, 2)
    const start = this.#length
    write()
    // How long it is is known only now, and stands before it.
    const length = this.#length - start
    const size = varintSize(length)
    this.#reserve(size)
    this.#buffer.copyWithin(start + size, start, this.#length)
    this.#length = start
    this.#varint(length)
    this.#length += length
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType)
  }

  #varint(value: number): void {
    this.#reserve(8)
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.#buffer[this.#length++] = (rest % 0x80) | 0x80
    this.#buffer[this.#length++] = rest
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size += 1
  return size
}
