/**
 * Writes messages in the wire format of Protocol Buffers, as far as OTLP needs it. Fields that are left out have their
 * default; those that are written are written whatever their value.
 */
export class ProtobufWriter {
  readonly #chunks: Uint8Array[] = []

  /** @param value 0 to 2^64 - 1 */
  varint(field: number, value: number | bigint): void {
    this.#tag(field, 0)
    this.#varint(BigInt(value))
  }

  /** @param value -2^63 to 2^63 - 1 */
  int64(field: number, value: bigint): void {
    this.varint(field, BigInt.asUintN(64, value))
  }

  /** @param value 0 to 2^64 - 1 */
  fixed64(field: number, value: bigint): void {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigUInt64LE(value)
    this.#tag(field, 1)
    this.#chunks.push(bytes)
  }

  double(field: number, value: number): void {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleLE(value)
    this.#tag(field, 1)
    this.#chunks.push(bytes)
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, 2)
    this.#varint(BigInt(value.length))
    this.#chunks.push(value)
  }

  string(field: number, value: string): void {
    this.bytes(field, Buffer.from(value, 'utf8'))
  }

  message(field: number, write: (inner: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter()
    write(inner)
    this.bytes(field, inner.finish())
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }

  #tag(field: number, wireType: number): void {
    this.#varint(BigInt(field * 8 + wireType))
  }

  #varint(value: bigint): void {
    const bytes: number[] = []
    let rest = value
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    bytes.push(Number(rest))
    this.#chunks.push(Uint8Array.from(bytes))
  }
}
