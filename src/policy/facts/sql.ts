import { z } from 'zod'
import { isText, textsOf, unreadable, type Extractor } from './extractor.ts'
import { sqlReach } from './sql-reach.ts'
import { sqlDialects, sqlTokens, type SqlDialect } from './sql-tokens.ts'

const parameters = z.strictObject({
  dialect: z.enum(sqlDialects, { error: `say which SQL the tool speaks: ${sqlDialects.join(', ')}` }),
})

/** Verbs that change nothing by themselves. */
const reading = new Set(['select', 'values', 'table', 'show', 'explain', 'describe', 'desc'])
const nameLimit = 200
const stringSet = { type: 'Set', element: { type: 'String' }, required: true } as const

/**
 * What SQL would do: how many `statements`, their `verbs` (those inside others too: of a common table expression that
 * deletes, of an explanation that runs; `into` for a query that writes its result), the `tables` they name, the
 * `functions` they call, and whether every verb only reads (`read_only`).
 *
 * Errs on the side of more: a word that is a verb somewhere counts as one, a name that could be a table counts as one.
 * So hold the sets to lists of what is allowed. A table named with its schema stands there with and without it; `*`
 * stands for tables that cannot be told. Views and functions reach what they reach: a function that is called can write
 * although every verb only reads. Quoting and comments that databases read differently are refused.
 */
export const sql: Extractor = {
  name: 'sql',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: {
      functions: stringSet,
      read_only: { type: 'Boolean', required: true },
      statements: { type: 'Long', required: true },
      tables: stringSet,
      verbs: stringSet,
    },
  },
  givesMoney: false,
  takes: { least: 1, most: 1 },
  whenAbsent: null,
  reads: isText,
  extract([input], { dialect }) {
    const texts = input === undefined ? null : textsOf(input.value)
    if (input === undefined || texts === null) return unreadable(input?.argument ?? '', 'is not text or a list of text')
    const verbs = new Set<string>()
    const tables = new Set<string>()
    const functions = new Set<string>()
    let statements = 0
    for (const text of texts) {
      const tokens = sqlTokens(text, dialect as SqlDialect)
      const reach = typeof tokens === 'string' ? tokens : sqlReach(tokens, dialect as SqlDialect)
      if (typeof reach === 'string') return unreadable(input.argument, reach)
      statements += reach.statements
      for (const verb of reach.verbs) verbs.add(verb)
      for (const table of reach.tables) tables.add(table)
      for (const called of reach.functions) functions.add(called)
      if (tables.size + functions.size > nameLimit)
        return unreadable(input.argument, `names more than ${nameLimit} things`)
    }
    if (statements === 0) return unreadable(input.argument, 'holds no statement')
    const readOnly = [...verbs].every((verb) => reading.has(verb))
    const open = { read_only: readOnly, statements, verbs: [...verbs].sort() }
    return { ok: true, value: { ...open, functions: [...functions].sort(), tables: [...tables].sort() }, open }
  },
}
