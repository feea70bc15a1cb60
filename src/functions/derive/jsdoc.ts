/** A doc comment: its text, the tags that say something of a value, and what `@param` says of each name. */
export interface DocComment {
  readonly description: string | null
  readonly tags: ReadonlyMap<string, string>
  readonly parameters: ReadonlyMap<string, string>
}

const nothing: DocComment = { description: null, tags: new Map(), parameters: new Map() }

/** Reads the content of a block comment (what stands between the slashes). Not a doc comment: nothing. */
export function parseDocComment(content: string | null): DocComment {
  if (content === null || !content.startsWith('*')) return nothing
  const lines = content
    .slice(1)
    .split(/\r?\n/)
    .map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
  const description: string[] = []
  const tags = new Map<string, string>()
  const parameters = new Map<string, string>()
  let add = (line: string): void => void description.push(line)
  for (const line of lines) {
    const tag = /^\s*@(\w+)\s*(.*)$/.exec(line)
    if (tag === null) {
      add(line)
      continue
    }
    const [, name = '', rest = ''] = tag
    // `@param {number} input.n - How many.`: the braces and the dash are habits of other tools.
    const parameter = name === 'param' ? /^(?:\{[^}]*\}\s*)?\[?([\w.]+)[^\s]*\s*(?:-\s*)?(.*)$/.exec(rest) : null
    const [target, key, first]: [Map<string, string>, string, string] =
      parameter === null
        ? [tags, name, rest]
        : [parameters, (parameter[1] ?? '').split('.').at(-1) ?? '', parameter[2] ?? '']
    target.set(key, first.trim())
    add = (more) => void target.set(key, `${target.get(key) ?? ''} ${more.trim()}`.trim())
  }
  const paragraphs = description
    .join('\n')
    .trim()
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
  return { description: paragraphs.filter((paragraph) => paragraph !== '').join('\n\n') || null, tags, parameters }
}
