import type { SqlDialect, SqlToken } from './sql-tokens.ts'

/** Tokens of one text of SQL, read by their places. Beyond the ends there are empty words and symbols. */
export class SqlText {
  readonly dialect: SqlDialect
  readonly #tokens: readonly SqlToken[]
  readonly #closes: ReadonlyMap<number, number>

  private constructor(tokens: readonly SqlToken[], closes: ReadonlyMap<number, number>, dialect: SqlDialect) {
    this.#tokens = tokens
    this.#closes = closes
    this.dialect = dialect
  }

  /** `null` where the brackets do not match, or `;` stands between them. */
  static of(tokens: readonly SqlToken[], dialect: SqlDialect): SqlText | null {
    const closes = matchingBrackets(tokens)
    return closes === null ? null : new SqlText(tokens, closes, dialect)
  }

  get length(): number {
    return this.#tokens.length
  }

  token(index: number): SqlToken | undefined {
    return this.#tokens[index]
  }

  /** The bracket that closes the one that opens there; nothing where none opens. */
  closeOf(index: number): number | undefined {
    return this.#closes.get(index)
  }

  word(index: number): string {
    return this.#tokens[index]?.word ?? ''
  }

  symbol(index: number): string {
    const token = this.#tokens[index]
    return token?.kind === 'symbol' ? token.text : ''
  }

  isName(index: number): boolean {
    const kind = this.#tokens[index]?.kind
    return kind === 'word' || kind === 'name'
  }

  /**
   * A name with what stands before it and points, in the forms that policies compare: with and without what it is
   * qualified by, so that a list of what is allowed must hold both and a list of what is not needs one.
   */
  nameEndingAt(last: number): { readonly names: readonly string[]; readonly own: string } {
    let first = last
    while (this.symbol(first - 1) === '.' && this.isName(first - 2)) first -= 2
    const parts: string[] = []
    for (let index = first; index <= last; index += 2) parts.push(this.folded(index))
    const forms = [parts.join('.'), parts.at(-1) ?? '']
    // Whether MySQL tells capitals apart depends on the file system.
    const folded = this.dialect === 'mysql' ? forms.map((form) => form.toLowerCase()) : []
    return { names: [...forms, ...folded], own: forms[0] ?? '' }
  }

  /** A word or name as the dialect compares it. */
  folded(index: number): string {
    const token = this.#tokens[index]
    if (token === undefined) return ''
    if (this.dialect === 'mysql') return token.text
    return token.kind === 'word' || this.dialect === 'sqlite' ? token.text.toLowerCase() : token.text
  }
}

/** Index of the closing bracket of each opening one. `null` if they do not match, or `;` stands between them. */
function matchingBrackets(tokens: readonly SqlToken[]): ReadonlyMap<number, number> | null {
  const closes = new Map<number, number>()
  const open: number[] = []
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== 'symbol') continue
    if (text === '(') open.push(index)
    else if (text === ';' && open.length > 0) return null
    else if (text === ')') {
      const start = open.pop()
      if (start === undefined) return null
      closes.set(start, index)
    }
  }
  return open.length === 0 ? closes : null
}
