/** A map that forgets what was used longest ago once the weights of its values pass a limit. */
export class LruMap<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly weight: number }>()
  readonly #limit: number
  readonly #onEvict: ((value: Value) => void) | undefined
  #weight = 0

  constructor(limit: number, onEvict?: (value: Value) => void) {
    this.#limit = limit
    this.#onEvict = onEvict
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Adds or replaces. The newest entry always stays, whatever it weighs. */
  set(key: string, value: Value, weight = 1): void {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(key, before)
    this.#entries.set(key, { value, weight })
    this.#weight += weight
    for (const [oldest, entry] of this.#entries) {
      if (this.#weight <= this.#limit || oldest === key) break
      this.#drop(oldest, entry)
    }
  }

  #drop(key: string, entry: { readonly value: Value; readonly weight: number }): void {
    this.#entries.delete(key)
    this.#weight -= entry.weight
    this.#onEvict?.(entry.value)
  }
}
