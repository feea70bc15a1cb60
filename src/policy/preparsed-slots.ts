import { LruMap } from './lru-map.ts'

/** What Cedar's preparse functions answer. */
interface PrepareAnswer {
  readonly type: 'success' | 'failure'
}

/**
 * A bounded pool of names under which Cedar keeps parsed policies or schemas. Cedar's own cache never forgets a name,
 * so names are used again: what was used longest ago is overwritten. A slot is known by the content's key, so what is
 * in it is never stale.
 */
export class PreparsedSlots<Content> {
  readonly #prefix: string
  readonly #prepare: (name: string, content: Content) => PrepareAnswer
  readonly #clear: (name: string) => PrepareAnswer
  readonly #names: LruMap<string>
  readonly #free: string[] = []
  #made = 0

  /** `limit` bounds the sum of weights that are kept parsed at once. */
  constructor(
    prefix: string,
    limit: number,
    prepare: (name: string, content: Content) => PrepareAnswer,
    clear: (name: string) => PrepareAnswer,
  ) {
    this.#prefix = prefix
    this.#prepare = prepare
    this.#clear = clear
    this.#names = new LruMap(limit, (name) => {
      this.#clear(name)
      this.#free.push(name)
    })
  }

  /**
   * The name under which the content is parsed, parsing it if it is not.
   * @throws Error if Cedar cannot parse it; nothing is kept then.
   */
  nameOf(key: string, content: () => Content, weight = 1): string {
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const name = this.#free.pop() ?? `${this.#prefix}${this.#made++}`
    if (this.#prepare(name, content()).type !== 'success') {
      this.#free.push(name)
      throw new Error('Cedar could not parse what it parsed before')
    }
    this.#names.set(key, name, weight)
    return name
  }
}
