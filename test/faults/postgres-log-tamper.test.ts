import { expect, it } from 'vitest'
import { postgresDatabase } from '../support/postgres-database.ts'
import { postgresLogPlace } from '../support/postgres-log-place.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'

/** A log of two writers and two namespaces, closed, whose tables are copied so that each change can be undone. */
async function writtenLog() {
  const place = await postgresLogPlace(await postgresDatabase())
  const logs = [await place.open(), await place.open()]
  await Promise.all(
    Array.from({ length: 300 }, async (_, at) => {
      const draft = decisionDraft({ namespace: at % 3 === 0 ? 'one' : 'two' })
      await logs[at % 2]?.decisionLog.append(draft)
      await logs[at % 2]?.decisionLog.append(outcomeDraft(draft))
    }),
  )
  for (const log of logs) await log.close()
  return place
}

const newestOfWriter2 = '(SELECT max(pos) FROM records WHERE writer = 2)'

/** Adds a copy of a record where no stretch leads to. */
function strayRecord(writer: number, position: number): string {
  return `INSERT INTO records SELECT ${writer}, ${position}, batch, log, 1000000, gen_random_uuid(), time_ms, kind, call, principal,
    leaf_hash, json FROM records WHERE writer = 1 AND pos = 0`
}

/** Each change, and what is said of it. */
const changes: readonly (readonly [string, RegExp])[] = [
  ["UPDATE records SET json = replace(json, 'demo', 'dema') WHERE writer = 1 AND pos = 7", /text was changed/],
  ["UPDATE records SET leaf_hash = sha256('') WHERE writer = 1 AND pos = 7", /stored hash was changed/],
  ['DELETE FROM records WHERE writer = 2 AND pos = 9', /A record is missing here/],
  [`DELETE FROM records WHERE writer = 2 AND pos = ${newestOfWriter2}`, /missing/],
  [
    `DELETE FROM records WHERE writer = 2 AND pos = ${newestOfWriter2};
     UPDATE stretches SET records = records - 1 WHERE writer = 2 AND first_pos + records = (SELECT next_pos FROM writers WHERE writer = 2)
       AND first_seq + records = (SELECT next_seq FROM head);
     UPDATE sequenced SET next_pos = next_pos - 1 WHERE writer = 2`,
    /missing|lies at position|cut off/,
  ],
  ['UPDATE records SET writer = 3 WHERE writer = 2', /missing/],
  ['UPDATE records SET idx = idx + 1000000 WHERE writer = 1 AND pos = 20', /lies at position/],
  ["UPDATE records SET principal = 'demo/other' WHERE writer = 1 AND pos = 0", /disagree on principal/],
  ['UPDATE writers SET epoch = epoch + 1 WHERE writer = 2', /row of writer 2 was changed/],
  ['UPDATE writers SET next_pos = next_pos - 1 WHERE writer = 2', /records beyond|row of writer 2/],
  ['DELETE FROM writers WHERE writer = 2', /writer that the log does not know/],
  [strayRecord(1, -1), /1 records outside of the order/],
  [strayRecord(77, 0), /1 records outside of the order/],
  ['UPDATE head SET checkpoints = checkpoints + 1', /head row was changed/],
  ['UPDATE head SET next_seq = next_seq - 1', /head row was changed/],
  ['DELETE FROM head', /head row was changed/],
  ['DELETE FROM stretches WHERE first_seq = (SELECT max(first_seq) FROM stretches)', /missing|cut off/],
  ['DELETE FROM stretches WHERE first_seq = 0', /missing/],
  ['UPDATE sequenced SET next_pos = next_pos - 3 WHERE writer = 1', /lies at position|beyond/],
  ["UPDATE tiles SET hashes = sha256('') || substr(hashes, 33)", /holds other hashes/],
  ['DELETE FROM tiles', /is missing/],
  ['DELETE FROM checkpoints WHERE ordinal = 1', /Checkpoint 1 is missing/],
  ['UPDATE checkpoints SET size = size - 1 WHERE ordinal = 1', /is stored for/],
  ["UPDATE trees SET period = '2020-01' WHERE tree = 1", /no good signature|later month/],
  ['DELETE FROM bodies WHERE writer = 1 AND pos = 4', /bodies are not stored beside it/],
  ['UPDATE bodies SET sealed = substr(sealed, 2) WHERE writer = 1 AND pos = 4', /stored bodies take/],
  ['UPDATE bodies SET pos = pos + 2000000 WHERE writer = 1 AND pos = 4', /bodies are not stored beside it/],
]

it('finds what was changed behind the back of the servers, and says what', async () => {
  const place = await writtenLog()
  expect(await place.verify()).toMatchObject({ ok: true, problems: [], headAuthenticated: true })
  const untouched = new URL(place.url)
  const name = untouched.pathname.slice(1)
  for (const [change, said] of changes) {
    // In a transaction that the verifier cannot see into, nothing would have changed: so each is committed and undone.
    await place.sql(`CREATE SCHEMA kept; ${copyTables('mcpworks_log', 'kept')}`)
    await place.sql(`SET session_replication_role = replica; ${change}`)
    const report = await place.verify()
    expect(report.ok, `${change} on ${name}`).toBe(false)
    expect(report.problems.map(({ problem }) => problem).join('\n'), change).toMatch(said)
    await place.sql(
      `SET session_replication_role = replica; ${restoreTables('kept', 'mcpworks_log')}; DROP SCHEMA kept CASCADE`,
    )
    expect((await place.verify()).problems, `after ${change} was undone`).toEqual([])
  }
})

const tables = ['records', 'bodies', 'writers', 'head', 'stretches', 'sequenced', 'tiles', 'checkpoints', 'trees']

function copyTables(from: string, to: string): string {
  return tables.map((table) => `CREATE TABLE ${to}.${table} AS TABLE ${from}.${table}`).join('; ')
}

function restoreTables(from: string, to: string): string {
  return tables
    .map((table) => {
      const override = table === 'trees' ? 'OVERRIDING SYSTEM VALUE' : ''
      return `DELETE FROM ${to}.${table}; INSERT INTO ${to}.${table} ${override} SELECT * FROM ${from}.${table}`
    })
    .join('; ')
}
