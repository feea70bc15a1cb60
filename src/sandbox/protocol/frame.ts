import { isJsonObject, type JsonObject } from '../../kernel/index.ts'

/** One message of the runner protocol and of the executor protocol: a JSON header and bytes. */
export interface Frame {
  readonly header: JsonObject
  readonly body: Uint8Array
}

/** What the sender of frames may send at most. */
export interface FrameBounds {
  readonly headerBytes: number
  readonly bodyBytes: number
}

/** The bytes cannot be frames, or a frame is over its bound. The stream is of no further use. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
  readonly tooLarge: boolean

  constructor(message: string, tooLarge: boolean) {
    super(message)
    this.tooLarge = tooLarge
  }
}

const lengthBytes = 4

/** A frame on the wire: 32-bit length of the rest, 32-bit length of the header, the header as JSON, the body; big-endian. */
export function encodeFrame(header: object, body: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(2 * lengthBytes)
  prefix.writeUInt32BE(lengthBytes + head.length + body.length, 0)
  prefix.writeUInt32BE(head.length, lengthBytes)
  return Buffer.concat([prefix, head, body])
}

/**
 * Cuts a stream of bytes into frames. Made for a hostile sender: never holds more than one frame of the permitted size,
 * refuses a length before it waits for the bytes, and never throws anything but `FrameError`. Does not look into headers.
 */
export class FrameReader {
  readonly #bounds: FrameBounds
  #chunks: Buffer[] = []
  #held = 0
  #failed: FrameError | null = null

  constructor(bounds: FrameBounds) {
    this.#bounds = bounds
  }

  /** Takes the next bytes and returns the frames that they complete. @throws FrameError, and from then on always */
  push(chunk: Uint8Array): Frame[] {
    if (this.#failed !== null) throw this.#failed
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#held += chunk.byteLength
    const frames: Frame[] = []
    for (;;) {
      const frame = this.#next()
      if (frame === null) return frames
      frames.push(frame)
    }
  }

  #next(): Frame | null {
    if (this.#held < lengthBytes) return null
    const total = this.#peek(lengthBytes).readUInt32BE(0)
    if (total < lengthBytes) throw this.#fail('a frame is shorter than its own prefix', false)
    if (total > lengthBytes + this.#bounds.headerBytes + this.#bounds.bodyBytes) throw this.#fail('a frame is over the limit', true)
    if (this.#held < lengthBytes + total) {
      // Looked at early so that an oversized header is refused before it has been collected.
      if (this.#held >= 2 * lengthBytes) this.#headerLength(this.#peek(2 * lengthBytes), total)
      return null
    }
    const bytes = this.#take(lengthBytes + total)
    const headerEnd = 2 * lengthBytes + this.#headerLength(bytes, total)
    return { header: this.#parse(bytes.subarray(2 * lengthBytes, headerEnd)), body: bytes.subarray(headerEnd) }
  }

  #headerLength(prefix: Buffer, total: number): number {
    const length = prefix.readUInt32BE(lengthBytes)
    if (length > total - lengthBytes) throw this.#fail('a header is longer than its frame', false)
    if (length > this.#bounds.headerBytes) throw this.#fail('a header is over the limit', true)
    if (total - lengthBytes - length > this.#bounds.bodyBytes) throw this.#fail('a body is over the limit', true)
    return length
  }

  #parse(bytes: Buffer): JsonObject {
    let header: unknown
    try {
      header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch {
      throw this.#fail('a header is not JSON', false)
    }
    if (!isJsonObject(header)) throw this.#fail('a header is no JSON object', false)
    return header
  }

  #fail(message: string, tooLarge: boolean): FrameError {
    this.#chunks = []
    this.#held = 0
    this.#failed = new FrameError(message, tooLarge)
    return this.#failed
  }

  /** The first `count` bytes, left where they are. */
  #peek(count: number): Buffer {
    const [first] = this.#chunks
    if (first !== undefined && first.length >= count) return first.subarray(0, count)
    this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0]?.subarray(0, count) ?? Buffer.alloc(0)
  }

  #take(count: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks)
    const rest = all.subarray(count)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
    return all.subarray(0, count)
  }
}
