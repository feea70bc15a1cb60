/** What may come next. */
const expecting = { value: 0, valueOrEnd: 1, key: 2, keyOrEnd: 3, commaOrEnd: 4 } as const
type Expecting = (typeof expecting)[keyof typeof expecting]

const quote = 0x22
const backslash = 0x5c
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d] as const
const [comma, colon, minus, plus, point] = [0x2c, 0x3a, 0x2d, 0x2b, 0x2e] as const
const [zero, nine] = [0x30, 0x39] as const
const words: ReadonlyMap<number, Uint8Array> = new Map(
  ['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]),
)
const plainEscapes = new Set(Buffer.from('"\\/bfnrt'))
/** The value of each hexadecimal digit by its byte; -1 for all others. */
const hexDigits = Int8Array.from({ length: 256 }, (_, byte) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase()),
)
/** Fewer digits than this, and no exponent: within what a double holds. */
const safeDigits = 300

/**
 * Whether bytes that are UTF-8 are one JSON text (RFC 8259), at most `maxDepth` nested, in which no number is beyond what
 * a double holds and no escape stands for half of a surrogate pair. Builds nothing, so that its time is that of one walk
 * over the bytes (10 to 40 ms a MiB, whatever they are, on a loaded machine): a parser that builds values takes a hundred times as long
 * for texts that are made for it. Does not look for bytes that are no UTF-8, nor for keys that are there twice.
 */
export function isJson(bytes: Uint8Array, maxDepth: number): boolean {
  return new Walk(bytes, maxDepth).isWhole()
}

class Walk {
  readonly #bytes: Buffer
  readonly #maxDepth: number
  /** What closes each thing that is open. */
  readonly #closers: number[] = []
  #at = 0

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxDepth = maxDepth
  }

  isWhole(): boolean {
    let next: Expecting | null = expecting.value
    for (;;) {
      this.#skipSpace()
      if (next === expecting.commaOrEnd && this.#closers.length === 0) return this.#at === this.#bytes.length
      next = this.#step(next)
      if (next === null) return false
    }
  }

  /** Takes one thing; `null` where it is not what may come. */
  #step(next: Expecting): Expecting | null {
    const byte = this.#bytes[this.#at]
    const closer = this.#closers.at(-1)
    if (byte === closer && next !== expecting.value && next !== expecting.key) {
      this.#at += 1
      this.#closers.pop()
      return expecting.commaOrEnd
    }
    switch (next) {
      case expecting.commaOrEnd:
        if (byte !== comma) return null
        this.#at += 1
        return closer === closeObject ? expecting.key : expecting.value
      case expecting.key:
      case expecting.keyOrEnd:
        return byte === quote && this.#takeString() && this.#takeColon() ? expecting.value : null
      case expecting.value:
      case expecting.valueOrEnd:
        return this.#takeValue(byte)
    }
  }

  #takeValue(byte: number | undefined): Expecting | null {
    switch (byte) {
      case openArray:
        return this.#open(closeArray) ? expecting.valueOrEnd : null
      case openObject:
        return this.#open(closeObject) ? expecting.keyOrEnd : null
      case quote:
        return this.#takeString() ? expecting.commaOrEnd : null
      default:
        return this.#takeWord(byte) || this.#takeNumber() ? expecting.commaOrEnd : null
    }
  }

  #open(closer: number): boolean {
    this.#at += 1
    return this.#closers.push(closer) <= this.#maxDepth
  }

  #skipSpace(): void {
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return
      this.#at += 1
    }
  }

  #takeColon(): boolean {
    this.#skipSpace()
    this.#at += 1
    return this.#bytes[this.#at - 1] === colon
  }

  #takeWord(first: number | undefined): boolean {
    const word = words.get(first ?? 0)
    if (word?.every((byte, index) => this.#bytes[this.#at + index] === byte) !== true) return false
    this.#at += word.length
    return true
  }

  #takeString(): boolean {
    for (this.#at += 1; ; this.#at += 1) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined || byte < 0x20) return false
      if (byte === quote) {
        this.#at += 1
        return true
      }
      if (byte === backslash && !this.#takeEscape()) return false
    }
  }

  /** Leaves off at its last byte. */
  #takeEscape(): boolean {
    this.#at += 1
    if (plainEscapes.has(this.#bytes[this.#at] ?? 0)) return true
    const unit = this.#unit()
    if (unit === null || (unit >= 0xdc00 && unit <= 0xdfff)) return false
    if (unit < 0xd800 || unit > 0xdbff) return true
    // The first half of a pair: the other one has to follow.
    if (this.#bytes[this.#at + 1] !== backslash) return false
    this.#at += 2
    const other = this.#unit()
    return other !== null && other >= 0xdc00 && other <= 0xdfff
  }

  /** The number of a `uXXXX`. */
  #unit(): number | null {
    if (this.#bytes[this.#at] !== 0x75) return null
    let unit = 0
    for (let digit = 0; digit < 4; digit += 1) {
      this.#at += 1
      const value = hexDigits[this.#bytes[this.#at] ?? 0] ?? -1
      if (value === -1) return null
      unit = unit * 16 + value
    }
    return unit
  }

  #takeNumber(): boolean {
    const start = this.#at
    if (this.#bytes[this.#at] === minus) this.#at += 1
    const isZero = this.#bytes[this.#at] === zero
    const whole = this.#takeDigits()
    if (whole === 0 || (isZero && whole > 1)) return false
    if (this.#bytes[this.#at] === point) {
      this.#at += 1
      if (this.#takeDigits() === 0) return false
    }
    const byte = this.#bytes[this.#at]
    const hasExponent = byte === 0x65 || byte === 0x45
    if (hasExponent) {
      this.#at += 1
      const sign = this.#bytes[this.#at]
      if (sign === plus || sign === minus) this.#at += 1
      if (this.#takeDigits() === 0) return false
    }
    if (!hasExponent && whole < safeDigits) return true
    return Number.isFinite(Number(this.#bytes.toString('latin1', start, this.#at)))
  }

  /** How many there were. */
  #takeDigits(): number {
    const start = this.#at
    for (;;) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined || byte < zero || byte > nine) return this.#at - start
      this.#at += 1
    }
  }
}
