import type { SqlDialect, SqlToken } from './sql-tokens.ts'

/** What one text of SQL reaches for. Errs on the side of more. */
export interface SqlReach {
  readonly statements: number
  readonly verbs: ReadonlySet<string>
  /** Names of tables and views; `*` where a statement could reach others. */
  readonly tables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Words that a statement begins with. */
const statementVerbs = words(
  'abort alter analyze attach begin binlog cache call change check checksum clone close cluster comment commit copy ' +
    'create deallocate declare delete desc describe detach discard do drop end execute explain fetch flush get grant ' +
    'handler help import insert install kill listen load lock merge move notify optimize pragma prepare purge reassign ' +
    'refresh reindex release rename repair replace reset restart revoke rollback savepoint security select set show ' +
    'shutdown signal start table truncate uninstall unlisten unlock update use vacuum values with xa',
)
/** Those whose tables are all found. */
const exactVerbs = words('select insert update delete merge replace values table truncate with')
/** Those that can stand inside another statement, with the effect that they have alone. */
const innerVerbs = words('select insert update delete merge')
/** Those that only explain makes run: everything it is asked about. */
const explainedVerbs = words('create execute declare refresh replace call')

/** Reserved in all dialects, so that no table is called so without quotes: they end the list of tables. */
const listEnds = words('where group having order limit union select')
/** Reserved in all dialects: where one of these stands in the place of a table, something else was meant. */
const noTable = words(
  'where group having order limit union select from join on using as and or not in is table into then else case when ' +
    'with null values',
)
const listEndsOf: Readonly<Record<SqlDialect, ReadonlySet<string>>> = {
  postgresql: words('returning offset fetch window for'),
  mysql: new Set(),
  sqlite: new Set(),
}
/** Reserved, so that no function is called so without quotes. */
const noFunction = words(
  'in exists not and or on using as from where having when then else case between values select distinct union ' +
    'limit all into with cast',
)
const noFunctionOf: Readonly<Record<SqlDialect, ReadonlySet<string>>> = {
  postgresql: words('any some array lateral returning except intersect'),
  mysql: words('key index'),
  sqlite: words('except intersect'),
}
/** Functions with a FROM of their own between the brackets. */
const fromInside = words('extract substring trim overlay')

const beforeInto = words('low_priority delayed high_priority ignore or rollback abort replace fail')

/** One level of brackets. */
interface Frame {
  /** `expect`: the next token names a table; `list`: tables were named, and a comma or a join brings another. */
  mode: 'none' | 'expect' | 'list'
  /** Whether the tables of the list are changed, so that the name of a common table expression does not count. */
  target: boolean
  /** Whether SET ends the list. */
  update: boolean
  /** Whether a comma after the table brings another. */
  several: boolean
  /** The function whose brackets these are; empty where they are none's. */
  readonly function: string
  readonly first: number
}

/** A common table expression: where its name means it and not a table. */
interface Expression {
  readonly name: string
  readonly from: number
  readonly to: number
}

/**
 * Finds what statements reach for, without parsing them: by the words that bring tables and functions. Every table and
 * verb there is, is found; names that are none may be found too. Answers what is wrong where that cannot be said.
 */
export function sqlReach(tokens: readonly SqlToken[], dialect: SqlDialect): SqlReach | string {
  const closes = matchingBrackets(tokens)
  if (closes === null) return 'holds brackets that do not match'
  const scan = new Scan(tokens, closes, dialect)
  let statements = 0
  for (let start = 0; start < tokens.length;) {
    let end = start
    while (end < tokens.length && !isEnd(tokens[end])) end = (closes.get(end) ?? end) + 1
    if (end > start) {
      statements += 1
      const problem = scan.statement(start, end)
      if (problem !== null) return problem
    }
    start = end + 1
  }
  return { statements, verbs: scan.verbs, tables: scan.tables, functions: scan.functions }
}

const isEnd = (token: SqlToken | undefined): boolean => token?.kind === 'symbol' && token.text === ';'

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

class Scan {
  readonly verbs = new Set<string>()
  readonly tables = new Set<string>()
  readonly functions = new Set<string>()
  readonly #tokens: readonly SqlToken[]
  readonly #closes: ReadonlyMap<number, number>
  readonly #dialect: SqlDialect
  /** Brackets that hold the columns of a table, and are no call. */
  readonly #columns = new Set<number>()

  constructor(tokens: readonly SqlToken[], closes: ReadonlyMap<number, number>, dialect: SqlDialect) {
    this.#tokens = tokens
    this.#closes = closes
    this.#dialect = dialect
  }

  /** Looks through the tokens from `start` up to `end`. Answers what is wrong, or `null`. */
  statement(start: number, end: number): string | null {
    let first = start
    while (this.#symbol(first) === '(') first += 1
    const verb = this.#word(first)
    if (!statementVerbs.has(verb)) return 'begins a statement with a word that is not known here'
    if (!exactVerbs.has(verb)) this.tables.add('*')
    const inside = this.#verbsInside(first, end, verb)
    if (inside.size === 0) return 'holds a statement that does nothing known'
    for (const found of inside) this.verbs.add(found)
    return this.#namesInside(start, end)
  }

  #verbsInside(first: number, end: number, verb: string): Set<string> {
    const verbs = new Set(verb === 'with' ? [] : [verb])
    let into = 0
    for (let index = first; index < end; index += 1) {
      const word = this.#word(index)
      if (word === '' || this.#symbol(index - 1) === '.') continue
      const replaces = word === 'replace' && (index === first || this.#word(index + 1) === 'into')
      if (innerVerbs.has(word) || replaces || (verb === 'explain' && explainedVerbs.has(word))) verbs.add(word)
      if (word === 'into') into += 1
      // A verb that is none takes an INTO away, and is counted as a verb that writes.
      if (word === 'insert' || word === 'merge' || replaces) into -= 1
    }
    if (into > 0) {
      // What stands between INTO and the name differs too much.
      verbs.add('into')
      this.tables.add('*')
    }
    return verbs
  }

  #namesInside(start: number, end: number): string | null {
    const expressions: Expression[] = []
    const frames: Frame[] = [frameOf('none', '', start)]
    for (let index = start; index < end; index += 1) {
      const frame = frames.at(-1)
      if (frame === undefined) return 'holds brackets that do not match'
      const symbol = this.#symbol(index)
      if (symbol === '(') {
        const inner = this.#openBracket(index, frame)
        if (typeof inner === 'string') return inner
        frames.push(inner)
      } else if (symbol === ')') {
        if (frame.mode === 'expect') return 'lacks a table where one must be named'
        frames.pop()
      } else if (frame.mode === 'expect') {
        const next = this.#table(index, frame, expressions)
        if (typeof next === 'string') return next
        index = next
      } else if (symbol === ',' && frame.mode === 'list') frame.mode = 'expect'
      else this.#step(index, frame, end, expressions)
    }
    return frames[0]?.mode === 'expect' ? 'lacks a table where one must be named' : null
  }

  #openBracket(index: number, frame: Frame): Frame | string {
    const inner = this.#word(index + 1)
    if (frame.mode === 'expect') {
      frame.mode = 'list'
      // Tables in brackets, or a query of its own.
      return frameOf(['select', 'with', 'values', 'table'].includes(inner) ? 'none' : 'expect', '', index + 1)
    }
    return frameOf('none', this.#calledFunction(index), index + 1)
  }

  /** The function that is called with the bracket at `index`, noted; empty where there is none. */
  #calledFunction(index: number): string {
    const before = this.#tokens[index - 1]
    if (before === undefined || (before.kind !== 'word' && before.kind !== 'name')) return ''
    if (this.#columns.has(index)) return ''
    const { word } = before
    const earlier = this.#word(index - 2)
    if (before.kind === 'word' && this.#symbol(index - 2) !== '.') {
      if (noFunction.has(word) || noFunctionOf[this.#dialect].has(word)) return ''
      if (word === 'by' && ['group', 'order', 'partition'].includes(earlier)) return ''
      if ((word === 'over' || word === 'filter') && this.#symbol(index - 2) === ')') return ''
      if (word === 'conflict' && earlier === 'on') return ''
      if (word === 'materialized' && (earlier === 'as' || earlier === 'not')) return ''
    }
    const { names } = this.#nameEndingAt(index - 1)
    for (const name of names) this.functions.add(name)
    return before.kind === 'word' ? word : ''
  }

  /** What a word outside of lists of tables brings. */
  #step(index: number, frame: Frame, end: number, expressions: Expression[]): void {
    const word = this.#word(index)
    if (word === '' || this.#symbol(index - 1) === '.') return
    const before = this.#word(index - 1)
    const expect = (target: boolean, several = true, update = false): void => {
      Object.assign(frame, { mode: 'expect', target, several, update })
    }
    switch (word) {
      case 'with':
        if (index === frame.first) expressions.push(...this.#expressions(index, this.#frameEnd(frame, end)))
        return
      case 'from':
        if (fromInside.has(frame.function) && this.#word(frame.first) !== 'select') return
        if (before === 'distinct' && ['is', 'not'].includes(this.#word(index - 2))) return
        return expect(before === 'delete')
      case 'join':
      case 'straight_join':
        return expect(false)
      case 'using':
        return this.#symbol(index + 1) === '(' ? undefined : expect(false)
      case 'in':
        return this.#dialect === 'sqlite' && this.#symbol(index + 1) !== '(' ? expect(false) : undefined
      case 'into':
        return expect(true, false)
      case 'table':
        return expect(this.#word(frame.first) !== 'table' && before !== 'select')
      case 'update':
        // What MERGE sets is no list of tables.
        if (before === 'then' && this.#word(index + 1) === 'set') frame.mode = 'none'
        return ['for', 'do', 'on', 'key', 'then'].includes(before) ? undefined : expect(true, true, true)
      case 'truncate':
        return index === frame.first && this.#word(index + 1) !== 'table' ? expect(true) : undefined
      case 'insert':
      case 'replace':
        // INTO can be left out in MySQL; before a bracket it is the function of that name.
        if (this.#symbol(index + 1) !== '(' && !this.#hasInto(index, end)) expect(true, false)
        return
      case 'set':
        if (frame.update) frame.mode = 'none'
        return
      default:
        if (frame.mode === 'list' && (listEnds.has(word) || listEndsOf[this.#dialect].has(word))) frame.mode = 'none'
    }
  }

  /** Whether INTO follows, after the words that may stand before it. */
  #hasInto(index: number, end: number): boolean {
    let next = index + 1
    while (next < end && beforeInto.has(this.#word(next))) next += 1
    return this.#word(next) === 'into'
  }

  /** Notes the table named here. Answers the index of its last token, or what is wrong. */
  #table(index: number, frame: Frame, expressions: readonly Expression[]): number | string {
    const token = this.#tokens[index]
    const { word } = token ?? { word: '' }
    if (this.#dialect === 'postgresql' && (word === 'only' || word === 'lateral')) return index
    if (this.#dialect === 'mysql' && word === 'lateral') return index
    if (frame.target && word === 'table') return index
    if (frame.target && this.#skips(word, index)) return index
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'name'))
      return 'names a table in a way that is not read'
    if (noTable.has(word)) return 'lacks a table where one must be named'
    frame.mode = frame.several ? 'list' : 'none'
    let last = index
    while (this.#symbol(last + 1) === '.' && this.#isName(last + 2)) last += 2
    if (this.#symbol(last + 1) === '.') return 'names a table in a way that is not read'
    // A function that gives rows; after INTO and the like the brackets hold columns.
    const calls = this.#symbol(last + 1) === '('
    if (calls && frame.target) this.#columns.add(last + 1)
    // SQLite reads some tables in the form of a call.
    if (calls && !frame.target && this.#dialect !== 'sqlite') return last
    const { names, own } = this.#nameEndingAt(last)
    const isExpression = expressions.some(({ name, from, to }) => name === own && from < index && index < to)
    if (frame.target || last !== index || !isExpression) for (const name of names) this.tables.add(name)
    return last
  }

  /** Words that may stand before the name of a table that is changed, by dialect. */
  #skips(word: string, index: number): boolean {
    if (this.#dialect === 'mysql') return ['low_priority', 'delayed', 'high_priority', 'ignore'].includes(word)
    if (this.#dialect !== 'sqlite') return false
    return (
      word === 'or' ||
      (this.#word(index - 1) === 'or' && ['rollback', 'abort', 'replace', 'fail', 'ignore'].includes(word))
    )
  }

  /**
   * A name with what stands before it and points, in the forms that policies compare: with and without what it is
   * qualified by, so that a list of what is allowed must hold both and a list of what is not needs one.
   */
  #nameEndingAt(last: number): { readonly names: readonly string[]; readonly own: string } {
    let first = last
    while (this.#symbol(first - 1) === '.' && this.#isName(first - 2)) first -= 2
    const parts: string[] = []
    for (let index = first; index <= last; index += 2) parts.push(this.#folded(index))
    const forms = [parts.join('.'), parts.at(-1) ?? '']
    // Whether MySQL tells capitals apart depends on the file system.
    const folded = this.#dialect === 'mysql' ? forms.map((form) => form.toLowerCase()) : []
    return { names: [...forms, ...folded], own: forms[0] ?? '' }
  }

  #folded(index: number): string {
    const token = this.#tokens[index]
    if (token === undefined) return ''
    if (this.#dialect === 'mysql') return token.text
    return token.kind === 'word' || this.#dialect === 'sqlite' ? token.text.toLowerCase() : token.text
  }

  /** Common table expressions of a WITH that begins its statement or its brackets, where their names mean them. */
  #expressions(at: number, to: number): Expression[] {
    const recursive = this.#word(at + 1) === 'recursive'
    const found: Expression[] = []
    for (let index = at + (recursive ? 2 : 1); this.#isName(index);) {
      const name = this.#folded(index)
      index += 1
      const columns = this.#closes.get(index)
      if (columns !== undefined) this.#columns.add(index)
      index = columns === undefined ? index : columns + 1
      if (this.#word(index) !== 'as') break
      index += 1
      if (this.#word(index) === 'not') index += 1
      if (this.#word(index) === 'materialized') index += 1
      const close = this.#symbol(index) === '(' ? this.#closes.get(index) : undefined
      if (close === undefined) break
      found.push({ name, from: recursive ? index : close, to })
      if (this.#symbol(close + 1) !== ',') break
      index = close + 2
    }
    return found
  }

  #frameEnd(frame: Frame, end: number): number {
    return this.#closes.get(frame.first - 1) ?? end
  }

  #word(index: number): string {
    return this.#tokens[index]?.word ?? ''
  }

  #symbol(index: number): string {
    const token = this.#tokens[index]
    return token?.kind === 'symbol' ? token.text : ''
  }

  #isName(index: number): boolean {
    const kind = this.#tokens[index]?.kind
    return kind === 'word' || kind === 'name'
  }
}

function frameOf(mode: Frame['mode'], called: string, first: number): Frame {
  return { mode, target: false, update: false, several: true, function: called, first }
}
