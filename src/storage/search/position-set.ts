/** Positions that one block covers. */
export const blockWidth = 4096

const wordCount = blockWidth / 32
const wholeBytes = blockWidth / 8

/** A set of positions within one block, as bits. */
export class PositionSet {
  readonly #words: Uint32Array

  constructor(words = new Uint32Array(wordCount)) {
    this.#words = words
  }

  /**
   * Reads what `encode` wrote: all bits, or up to 255 positions of two bytes. Never throws: bytes of another length are
   * read as far as they go, and what is found by them is looked up in the log anyway.
   */
  static decode(bytes: Uint8Array): PositionSet {
    const set = new PositionSet()
    if (bytes.length === wholeBytes) {
      new Uint8Array(set.#words.buffer).set(bytes)
      return set
    }
    for (let at = 0; at + 1 < bytes.length; at += 2) set.add((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8))
    return set
  }

  add(offset: number): void {
    const at = (offset & (blockWidth - 1)) >>> 5
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (offset & 31))
  }

  /** Keeps what is in the other set too. */
  intersect(other: PositionSet): void {
    for (let at = 0; at < wordCount; at++) this.#words[at] = (this.#words[at] ?? 0) & (other.#words[at] ?? 0)
  }

  /** Whether there are at most so many. */
  isFew(most: number): boolean {
    let count = 0
    for (const word of this.#words) {
      for (let left = word; left !== 0; left &= left - 1) count += 1
      if (count > most) return false
    }
    return true
  }

  /** Positions from the highest to the lowest. */
  *descending(): Generator<number> {
    for (let at = wordCount - 1; at >= 0; at--) {
      let word = this.#words[at] ?? 0
      while (word !== 0) {
        const bit = 31 - Math.clz32(word)
        yield at * 32 + bit
        word &= ~(1 << bit)
      }
    }
  }

  /** As many bytes as the smaller of both forms takes. */
  encode(): Uint8Array {
    const offsets = [...this.descending()]
    if (offsets.length * 2 >= wholeBytes) return new Uint8Array(this.#words.buffer.slice(0))
    const bytes = new Uint8Array(offsets.length * 2)
    for (const [position, offset] of offsets.entries()) {
      bytes[position * 2] = offset & 0xff
      bytes[position * 2 + 1] = offset >>> 8
    }
    return bytes
  }
}
