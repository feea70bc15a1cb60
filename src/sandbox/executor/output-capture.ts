/**
 * Keeps the first bytes of stdout and stderr, together bounded, and counts what is beyond. Reads on to the end, so that
 * the writer never waits for the reader. Texts come from hostile code: only their size and their encoding are bounded.
 */
export class OutputCapture {
  readonly #limitBytes: number
  readonly #floodBytes: number
  readonly #onFlood: () => void
  readonly #kept: { readonly stdout: Buffer[]; readonly stderr: Buffer[] } = { stdout: [], stderr: [] }
  #keptBytes = 0
  #droppedBytes = 0
  #flooded = false

  /** `onFlood` is called once when more than `floodBytes` have come. */
  constructor(limitBytes: number, floodBytes: number, onFlood: () => void) {
    this.#limitBytes = limitBytes
    this.#floodBytes = floodBytes
    this.#onFlood = onFlood
  }

  get droppedBytes(): number {
    return this.#droppedBytes
  }

  /** What was kept. Bytes that are not UTF-8, and a character cut at the bound, come out as U+FFFD. */
  text(name: 'stdout' | 'stderr'): string {
    return Buffer.concat(this.#kept[name]).toString('utf8')
  }

  take(name: 'stdout' | 'stderr', chunk: Buffer): void {
    const room = Math.max(0, this.#limitBytes - this.#keptBytes)
    const part = chunk.subarray(0, room)
    if (part.length > 0) this.#kept[name].push(Buffer.from(part))
    this.#keptBytes += part.length
    this.#droppedBytes += chunk.length - part.length
    if (!this.#flooded && this.#keptBytes + this.#droppedBytes > this.#floodBytes) {
      this.#flooded = true
      this.#onFlood()
    }
  }
}
