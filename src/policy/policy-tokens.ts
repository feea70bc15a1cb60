/** A token of Cedar policy text. Offsets are UTF-16. */
export interface PolicyToken {
  readonly kind: 'identifier' | 'string' | 'number' | 'symbol'
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Tokens of a text; `brokenAt` is the offset where no token could be read, `null` if all of it could. */
export interface PolicyTokens {
  readonly tokens: readonly PolicyToken[]
  readonly brokenAt: number | null
}

const pattern =
  /(?<skip>[\s\uFEFF]+|\/\/[^\n\r]*)|(?<identifier>[A-Za-z_][A-Za-z0-9_]*|\?[a-z]+)|(?<string>"(?:\\[\s\S]|[^"\\])*")|(?<number>[0-9]+)|(?<symbol>::|&&|\|\||==|!=|<=|>=|[@(){}[\],;:.<>+\-*/%!=|&])/uy

/**
 * Splits Cedar text into tokens, so that policies can be cut apart, bounded and pointed into.
 * Does not judge grammar: Cedar's own parser does, on the same text.
 */
export function policyTokens(text: string): PolicyTokens {
  const tokens: PolicyToken[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < text.length) {
    const start = pattern.lastIndex
    const groups = pattern.exec(text)?.groups
    if (groups === undefined) return { tokens, brokenAt: start }
    if (groups.skip !== undefined) continue
    const end = pattern.lastIndex
    const kind =
      groups.identifier !== undefined
        ? 'identifier'
        : groups.string !== undefined
          ? 'string'
          : groups.number !== undefined
            ? 'number'
            : 'symbol'
    tokens.push({ kind, text: text.slice(start, end), start, end })
  }
  return { tokens, brokenAt: null }
}

/** One entity literal `Type::"id"` as written. */
export interface EntityLiteral {
  readonly type: string
  readonly id: string
  readonly start: number
  readonly end: number
}

/** Every entity literal in the tokens, in order of appearance. */
export function entityLiterals(tokens: readonly PolicyToken[]): EntityLiteral[] {
  const literals: EntityLiteral[] = []
  for (let index = 2; index < tokens.length; index += 1) {
    const id = tokens[index]
    if (id?.kind !== 'string' || tokens[index - 1]?.text !== '::') continue
    let first = index - 2
    while (tokens[first - 1]?.text === '::' && tokens[first - 2]?.kind === 'identifier') first -= 2
    const start = tokens[first]
    if (start?.kind !== 'identifier') continue
    const type = tokens
      .slice(first, index - 1)
      .map((token) => token.text)
      .join('')
    literals.push({ type, id: unescapeCedarString(id.text), start: start.start, end: id.end })
  }
  return literals
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** The value of a Cedar string literal with its quotes. Unknown escapes are kept as written. */
export function unescapeCedarString(literal: string): string {
  return literal
    .slice(1, -1)
    .replace(
      /\\(?:u\{([0-9a-fA-F_]{1,8})\}|x([0-9a-fA-F]{2})|([\s\S]))/gu,
      (whole, unicode?: string, hex?: string, simple?: string) => {
        const code = unicode ?? hex
        if (code !== undefined) {
          const value = Number.parseInt(code.replaceAll('_', ''), 16)
          return value <= 0x10ffff ? String.fromCodePoint(value) : whole
        }
        return escapes[simple ?? ''] ?? whole
      },
    )
}
