import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { RecordTerms } from '../../src/audit/index.ts'
import { readableDialect } from '../../src/storage/readable-dialect.ts'
import { SearchIndex } from '../../src/storage/search/search-index.ts'
import type { SearchTables } from '../../src/storage/search/search-tables.ts'
import { termNumbers } from '../../src/storage/search/term-numbers.ts'
import { callId, fold, namespace, openFast, runOf } from './search-log-fixture.ts'

const rareCalls = 20

/** Makes 20 calls, all over the log, calls of a rare agent with a rare tool by a rare rule. */
export async function addRareCalls(auditPath: string, searchPath: string, records: number): Promise<void> {
  const connection = new DatabaseSync(searchPath)
  const database = new Kysely<SearchTables>({ dialect: readableDialect(connection) })
  const meta = new Map(
    (await database.selectFrom('search_meta').selectAll().execute()).map(({ name, value }) => [name, value]),
  )
  const numberOf = termNumbers(meta.get('seed') ?? '')
  const log = openFast(auditPath)
  const update = log.prepare('UPDATE records SET json = ?, principal = ? WHERE seq = ?')
  const documents = Array.from({ length: rareCalls }, (_, rare) => {
    const number = Math.floor(((rare + 0.5) / rareCalls) * (records / 2))
    const record = rareDecision(number)
    update.run(JSON.stringify(record), `${namespace}/rare`, number * 2)
    const terms = new RecordTerms().add({ kind: 'decision', record }).map(numberOf)
    return { log: 1, position: number * 2, timeMs: null, terms }
  })
  const [last] = log.prepare('SELECT seq, id FROM records ORDER BY seq DESC LIMIT 1').all()
  await new SearchIndex(database).add(documents, { seq: Number(last?.['seq']), id: String(last?.['id']) })
  await database.destroy()
  fold(log)
}

function rareDecision(number: number) {
  const determining = [{ effect: 'permit', id: 'rare.cedar#rule', reason: 'Seldom heard of.', remedy: null }]
  return {
    call: callId(number),
    decision: { basis: 'permit', determining, effect: 'allow', errors: [], obligations: [] },
    kind: 'decision',
    mcp: { method: 'tools/call' },
    parent_call: null,
    pre: {
      door: 'tool',
      labels_before: [],
      principal: { id: `${namespace}/rare` },
      target: { service: 'rare', tool: 'rare-tool' },
    },
    run: runOf(number),
  }
}
