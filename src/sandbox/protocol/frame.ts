import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { jsonDepth } from './json-depth.ts'

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
/** Headers are flat but for lists of names and what a start tells; nobody has reason to nest deeper. */
const maxHeaderDepth = 8

/**
 * A frame on the wire: 32-bit length of the rest, 32-bit length of the header, the header as JSON, the body; big-endian.
 * The body may be given in pieces.
 */
export function encodeFrame(header: object, ...body: readonly Uint8Array[]): Buffer {
  const head = Buffer.from(JSON.stringify(header))
  const prefix = Buffer.alloc(2 * lengthBytes)
  const bodyBytes = body.reduce((sum, piece) => sum + piece.length, 0)
  prefix.writeUInt32BE(lengthBytes + head.length + bodyBytes, 0)
  prefix.writeUInt32BE(head.length, lengthBytes)
  return Buffer.concat([prefix, head, ...body])
}

/**
 * Cuts a stream of bytes into frames. Made for a hostile sender: refuses a length before it waits for the bytes, holds
 * at most one frame of the permitted size whatever the pieces it comes in, parses no header that is nested deeply, and
 * throws nothing but `FrameError`. Does not look into headers. A frame that never becomes whole is never told of.
 */
export class FrameReader {
  readonly #bounds: FrameBounds
  readonly #prefix = Buffer.alloc(2 * lengthBytes)
  #prefixFilled = 0
  /** Header and body of the frame that is coming in, once its prefix is known. */
  #rest: Buffer | null = null
  #restFilled = 0
  #failed: FrameError | null = null

  constructor(bounds: FrameBounds) {
    this.#bounds = bounds
  }

  /** Whether all that came in was whole frames. */
  get isBetweenFrames(): boolean {
    return this.#rest === null && this.#prefixFilled === 0
  }

  /**
   * Takes the next bytes and gives the frames that they complete, each before the one after it is looked at: so a bad
   * frame takes nothing from the good ones before it, whatever the pieces they come in. To be read to its end, unless
   * the stream is of no further use. @throws FrameError, and from then on always
   */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    if (this.#failed !== null) throw this.#failed
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let used = 0
    while (used < bytes.length) {
      used += this.#rest === null ? this.#fillPrefix(bytes, used) : this.#fillRest(this.#rest, bytes, used)
      const frame = this.#complete()
      if (frame !== null) yield frame
    }
  }

  #fillPrefix(bytes: Buffer, from: number): number {
    const copied = bytes.copy(this.#prefix, this.#prefixFilled, from)
    this.#prefixFilled += copied
    if (this.#prefixFilled >= lengthBytes) this.#checkTotal(this.#prefix.readUInt32BE(0))
    if (this.#prefixFilled === this.#prefix.length) this.#rest = Buffer.alloc(this.#restLength())
    return copied
  }

  #fillRest(rest: Buffer, bytes: Buffer, from: number): number {
    const copied = bytes.copy(rest, this.#restFilled, from)
    this.#restFilled += copied
    return copied
  }

  #complete(): Frame | null {
    const rest = this.#rest
    if (rest === null || this.#restFilled < rest.length) return null
    const headerLength = this.#prefix.readUInt32BE(lengthBytes)
    this.#prefixFilled = 0
    this.#rest = null
    this.#restFilled = 0
    return { header: this.#parse(rest.subarray(0, headerLength)), body: rest.subarray(headerLength) }
  }

  #checkTotal(total: number): void {
    if (total < lengthBytes) throw this.#fail('a frame is shorter than its own prefix', false)
    if (total > lengthBytes + this.#bounds.headerBytes + this.#bounds.bodyBytes)
      throw this.#fail('a frame is over the limit', true)
  }

  #restLength(): number {
    const length = this.#prefix.readUInt32BE(0) - lengthBytes
    const header = this.#prefix.readUInt32BE(lengthBytes)
    if (header > length) throw this.#fail('a header is longer than its frame', false)
    if (header > this.#bounds.headerBytes) throw this.#fail('a header is over the limit', true)
    if (length - header > this.#bounds.bodyBytes) throw this.#fail('a body is over the limit', true)
    return length
  }

  #parse(bytes: Buffer): JsonObject {
    if (jsonDepth(bytes) > maxHeaderDepth) throw this.#fail('a header is nested too deeply', false)
    let header: unknown
    try {
      header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    } catch {
      throw this.#fail('a header is not JSON', false)
    }
    if (!isJsonObject(header)) throw this.#fail('a header is no JSON object', false)
    return header
  }

  #fail(message: string, tooLarge: boolean): FrameError {
    this.#rest = null
    this.#failed = new FrameError(message, tooLarge)
    return this.#failed
  }
}
