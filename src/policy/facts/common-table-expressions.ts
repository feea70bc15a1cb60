import type { SqlText } from './sql-text.ts'

/** A common table expression: where its name means it and not a table. */
export interface CommonTableExpression {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** What the names of a WITH mean. */
export interface CommonTableExpressions {
  readonly found: readonly CommonTableExpression[]
  /** Brackets that hold the columns of one. */
  readonly columns: readonly number[]
}

/** Common table expressions of a WITH that begins its statement or its brackets, where their names mean them: up to `to`. */
export function commonTableExpressions(text: SqlText, at: number, to: number): CommonTableExpressions {
  const columns: number[] = []
  const recursive = text.word(at + 1) === 'recursive'
  const found: CommonTableExpression[] = []
  for (let index = at + (recursive ? 2 : 1); text.isName(index);) {
    const name = text.folded(index)
    index += 1
    const columnsEnd = text.closeOf(index)
    if (columnsEnd !== undefined) columns.push(index)
    index = columnsEnd === undefined ? index : columnsEnd + 1
    if (text.word(index) !== 'as') break
    index += 1
    if (text.word(index) === 'not') index += 1
    if (text.word(index) === 'materialized') index += 1
    const close = text.symbol(index) === '(' ? text.closeOf(index) : undefined
    if (close === undefined) break
    found.push({ name, from: recursive ? index : close, to })
    if (text.symbol(close + 1) !== ',') break
    index = close + 2
  }
  return { found, columns }
}
