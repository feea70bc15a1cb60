import { commonTableExpressions, type CommonTableExpression } from './common-table-expressions.ts'
import { SqlText } from './sql-text.ts'
import type { SqlDialect, SqlToken } from './sql-tokens.ts'
import {
  beforeInto,
  exactVerbs,
  explainedVerbs,
  fromInside,
  innerVerbs,
  listEnds,
  listEndsOf,
  noFunction,
  noFunctionOf,
  noTable,
  statementVerbs,
} from './sql-words.ts'

/** What one text of SQL reaches for. Errs on the side of more. */
export interface SqlReach {
  readonly statements: number
  readonly verbs: ReadonlySet<string>
  /** Names of tables and views; `*` where a statement could reach others. */
  readonly tables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
}

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

/**
 * Finds what statements reach for, without parsing them: by the words that bring tables and functions. Every table and
 * verb there is, is found; names that are none may be found too. Answers what is wrong where that cannot be said.
 */
export function sqlReach(tokens: readonly SqlToken[], dialect: SqlDialect): SqlReach | string {
  const text = SqlText.of(tokens, dialect)
  if (text === null) return 'holds brackets that do not match'
  const scan = new Scan(text)
  let statements = 0
  for (let start = 0; start < text.length;) {
    let end = start
    while (end < text.length && text.symbol(end) !== ';') end = (text.closeOf(end) ?? end) + 1
    if (end > start) {
      statements += 1
      const problem = scan.statement(start, end)
      if (problem !== null) return problem
    }
    start = end + 1
  }
  return { statements, verbs: scan.verbs, tables: scan.tables, functions: scan.functions }
}

class Scan {
  readonly verbs = new Set<string>()
  readonly tables = new Set<string>()
  readonly functions = new Set<string>()
  readonly #text: SqlText
  /** Brackets that hold the columns of a table, and are no call. */
  readonly #columns = new Set<number>()

  constructor(text: SqlText) {
    this.#text = text
  }

  /** Looks through the tokens from `start` up to `end`. Answers what is wrong, or `null`. */
  statement(start: number, end: number): string | null {
    let first = start
    while (this.#text.symbol(first) === '(') first += 1
    const verb = this.#text.word(first)
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
      const word = this.#text.word(index)
      if (word === '' || this.#text.symbol(index - 1) === '.') continue
      const replaces = word === 'replace' && (index === first || this.#text.word(index + 1) === 'into')
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
    const expressions: CommonTableExpression[] = []
    const frames: Frame[] = [frameOf('none', '', start)]
    for (let index = start; index < end; index += 1) {
      const frame = frames.at(-1)
      if (frame === undefined) return 'holds brackets that do not match'
      const symbol = this.#text.symbol(index)
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
    const inner = this.#text.word(index + 1)
    if (frame.mode === 'expect') {
      frame.mode = 'list'
      // Tables in brackets, or a query of its own.
      return frameOf(['select', 'with', 'values', 'table'].includes(inner) ? 'none' : 'expect', '', index + 1)
    }
    return frameOf('none', this.#calledFunction(index), index + 1)
  }

  /** The function that is called with the bracket at `index`, noted; empty where there is none. */
  #calledFunction(index: number): string {
    const before = this.#text.token(index - 1)
    if (before === undefined || (before.kind !== 'word' && before.kind !== 'name')) return ''
    if (this.#columns.has(index)) return ''
    const { word } = before
    const earlier = this.#text.word(index - 2)
    if (before.kind === 'word' && this.#text.symbol(index - 2) !== '.') {
      if (noFunction.has(word) || noFunctionOf[this.#text.dialect].has(word)) return ''
      if (word === 'by' && ['group', 'order', 'partition'].includes(earlier)) return ''
      if ((word === 'over' || word === 'filter') && this.#text.symbol(index - 2) === ')') return ''
      if (word === 'conflict' && earlier === 'on') return ''
      if (word === 'materialized' && (earlier === 'as' || earlier === 'not')) return ''
    }
    const { names } = this.#text.nameEndingAt(index - 1)
    for (const name of names) this.functions.add(name)
    return before.kind === 'word' ? word : ''
  }

  /** What a word outside of lists of tables brings. */
  #step(index: number, frame: Frame, end: number, expressions: CommonTableExpression[]): void {
    const word = this.#text.word(index)
    if (word === '' || this.#text.symbol(index - 1) === '.') return
    const before = this.#text.word(index - 1)
    const expect = (target: boolean, several = true, update = false): void => {
      Object.assign(frame, { mode: 'expect', target, several, update })
    }
    switch (word) {
      case 'with':
        if (index === frame.first) expressions.push(...this.#expressions(index, frame, end))
        return
      case 'from':
        if (fromInside.has(frame.function) && this.#text.word(frame.first) !== 'select') return
        if (before === 'distinct' && ['is', 'not'].includes(this.#text.word(index - 2))) return
        return expect(before === 'delete')
      case 'join':
      case 'straight_join':
        return expect(false)
      case 'using':
        return this.#text.symbol(index + 1) === '(' ? undefined : expect(false)
      case 'in':
        return this.#text.dialect === 'sqlite' && this.#text.symbol(index + 1) !== '(' ? expect(false) : undefined
      case 'into':
        return expect(true, false)
      case 'table':
        return expect(this.#text.word(frame.first) !== 'table' && before !== 'select')
      case 'update':
        // What MERGE sets is no list of tables.
        if (before === 'then' && this.#text.word(index + 1) === 'set') frame.mode = 'none'
        return ['for', 'do', 'on', 'key', 'then'].includes(before) ? undefined : expect(true, true, true)
      case 'truncate':
        return index === frame.first && this.#text.word(index + 1) !== 'table' ? expect(true) : undefined
      case 'insert':
      case 'replace':
        // INTO can be left out in MySQL; before a bracket it is the function of that name.
        if (this.#text.symbol(index + 1) !== '(' && !this.#hasInto(index, end)) expect(true, false)
        return
      case 'set':
        if (frame.update) frame.mode = 'none'
        return
      default:
        if (frame.mode === 'list' && (listEnds.has(word) || listEndsOf[this.#text.dialect].has(word)))
          frame.mode = 'none'
    }
  }

  /** Whether INTO follows, after the words that may stand before it. */
  #hasInto(index: number, end: number): boolean {
    let next = index + 1
    while (next < end && beforeInto.has(this.#text.word(next))) next += 1
    return this.#text.word(next) === 'into'
  }

  /** Notes the table named here. Answers the index of its last token, or what is wrong. */
  #table(index: number, frame: Frame, expressions: readonly CommonTableExpression[]): number | string {
    const token = this.#text.token(index)
    const { word } = token ?? { word: '' }
    if (this.#text.dialect === 'postgresql' && (word === 'only' || word === 'lateral')) return index
    if (this.#text.dialect === 'mysql' && word === 'lateral') return index
    if (frame.target && word === 'table') return index
    if (frame.target && this.#skips(word, index)) return index
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'name'))
      return 'names a table in a way that is not read'
    if (noTable.has(word)) return 'lacks a table where one must be named'
    frame.mode = frame.several ? 'list' : 'none'
    let last = index
    while (this.#text.symbol(last + 1) === '.' && this.#text.isName(last + 2)) last += 2
    if (this.#text.symbol(last + 1) === '.') return 'names a table in a way that is not read'
    // A function that gives rows; after INTO and the like the brackets hold columns.
    const calls = this.#text.symbol(last + 1) === '('
    if (calls && frame.target) this.#columns.add(last + 1)
    // SQLite reads some tables in the form of a call.
    if (calls && !frame.target && this.#text.dialect !== 'sqlite') return last
    const { names, own } = this.#text.nameEndingAt(last)
    const isExpression = expressions.some(({ name, from, to }) => name === own && from < index && index < to)
    if (frame.target || last !== index || !isExpression) for (const name of names) this.tables.add(name)
    return last
  }

  /** Words that may stand before the name of a table that is changed, by dialect. */
  #skips(word: string, index: number): boolean {
    if (this.#text.dialect === 'mysql') return ['low_priority', 'delayed', 'high_priority', 'ignore'].includes(word)
    if (this.#text.dialect !== 'sqlite') return false
    return (
      word === 'or' ||
      (this.#text.word(index - 1) === 'or' && ['rollback', 'abort', 'replace', 'fail', 'ignore'].includes(word))
    )
  }

  #expressions(index: number, frame: Frame, end: number): readonly CommonTableExpression[] {
    const { found, columns } = commonTableExpressions(this.#text, index, this.#text.closeOf(frame.first - 1) ?? end)
    for (const bracket of columns) this.#columns.add(bracket)
    return found
  }
}

function frameOf(mode: Frame['mode'], called: string, first: number): Frame {
  return { mode, target: false, update: false, several: true, function: called, first }
}
