interface Entry<Value> {
  readonly key: string
  value: Value
  weight: number
  /** Neighbours in the order of use. */
  newer: Entry<Value> | null
  older: Entry<Value> | null
}

/**
 * A map that forgets what was used longest ago once the weights of its values pass a limit. The order of use is a list
 * beside the map: taking a key out of a `Map` and putting it back makes looking it up slower with every use.
 */
export class LruMap<Value> {
  readonly #entries = new Map<string, Entry<Value>>()
  readonly #limit: number
  readonly #onEvict: ((value: Value) => void) | undefined
  #newest: Entry<Value> | null = null
  #oldest: Entry<Value> | null = null
  #weight = 0

  constructor(limit: number, onEvict?: (value: Value) => void) {
    this.#limit = limit
    this.#onEvict = onEvict
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry !== this.#newest) {
      this.#unlink(entry)
      this.#link(entry)
    }
    return entry.value
  }

  /** Adds or replaces. The newest entry always stays, whatever it weighs. */
  set(key: string, value: Value, weight = 1): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(before)
    const entry: Entry<Value> = { key, value, weight, newer: null, older: null }
    this.#entries.set(key, entry)
    this.#link(entry)
    this.#weight += weight
    while (this.#weight > this.#limit && this.#oldest !== null && this.#oldest !== entry) this.#drop(this.#oldest)
  }

  #drop(entry: Entry<Value>): void {
    this.#entries.delete(entry.key)
    this.#unlink(entry)
    this.#weight -= entry.weight
    this.#onEvict?.(entry.value)
  }

  #link(entry: Entry<Value>): void {
    entry.older = this.#newest
    entry.newer = null
    if (this.#newest !== null) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
  }

  #unlink({ newer, older }: Entry<Value>): void {
    if (newer === null) this.#newest = older
    else newer.older = older
    if (older === null) this.#oldest = newer
    else older.newer = newer
  }
}
