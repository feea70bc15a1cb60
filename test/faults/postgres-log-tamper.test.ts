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
type Changes = readonly (readonly [string, RegExp])[]

const changes: Changes = [
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
  await findAll(place, changes)
})

it('finds what is missing where no record of the log says that it was let go', async () => {
  const place = await thinnedLog()
  expect(await place.verify()).toMatchObject({ ok: true, problems: [], removed: { texts: 20, bodies: 20 } })
  await findAll(place, missing)
})

/** A log of two writers where old texts, old bodies and a principal were let go, one principal is held, and others stay. */
async function thinnedLog() {
  const place = await postgresLogPlace(await postgresDatabase())
  const now = { ms: Date.UTC(2026, 2, 1) }
  const clock = { nowMs: () => now.ms, monotonicMs: () => now.ms }
  const logs = [await place.open(clock), await place.open(clock)]
  const calls = async (principal: string, namespace: string, count: number) => {
    for (let at = 0; at < count; at++) {
      const draft = decisionDraft({ namespace, principal })
      await logs[at % 2]?.decisionLog.append(draft)
      await logs[at % 2]?.decisionLog.append(outcomeDraft(draft, { principal }))
    }
  }
  await calls('demo/old', 'texts', 10)
  await calls('demo/old', 'bodies', 5)
  await calls('demo/erased', 'bodies', 5)
  await calls('demo/held', 'bodies', 5)
  const [first] = logs
  if (first === undefined) throw new Error('there is no log')
  const { decisionLog, keeper } = first
  const placed = { placedBy: 'operator', placedMs: now.ms, reason: 'a case' }
  await keeper.placeHold({ id: 'hold', namespace: 'bodies', subject: 'demo/held', ...placed })
  now.ms += 10 * 86_400_000
  await calls('demo/new', 'texts', 3)
  await calls('demo/new', 'bodies', 3)
  for (const namespace of ['texts', 'bodies']) {
    const [newest] = await decisionLog.read({ namespace, descending: true, limit: 1 })
    await expect.poll(async () => (await decisionLog.prove(newest?.id ?? ''))?.checkpoint).not.toBeNull()
  }
  const step = { beforeMs: now.ms - 86_400_000, days: 9 } as const
  await keeper.expire({ namespace: 'texts', what: 'texts', ...step })
  await keeper.erase({ subject: 'demo/erased', by: 'operator', call: 'c' })
  await keeper.sweepErased()
  await keeper.expire({ namespace: 'bodies', what: 'bodies', ...step })
  for (const log of logs) await log.close()
  return place
}

const inBodies = "log = (SELECT log FROM logs WHERE namespace = 'bodies')"
const newestOfBodies = `(SELECT max(idx) FROM records WHERE ${inBodies})`

/** A record that says that everything was let go, of a writer that there is not, with the right hash. */
const forged = (writer: number, position: number) => `
  INSERT INTO records (writer, pos, batch, log, idx, id, time_ms, kind, call, principal, leaf_hash, json)
  SELECT ${writer}, ${position}, 999999, log, 999999, gen_random_uuid(), time_ms, kind, call, NULL,
    sha256('\\x00'::bytea || convert_to(said.json, 'UTF8')), said.json
  FROM records, LATERAL (SELECT regexp_replace(json, '"ranges":\\[.*?\\]\\]', '"ranges":[[0,999998]]') AS json) AS said
  WHERE ${inBodies} AND kind = 'retention'`

const deleteNewBodies = `DELETE FROM bodies USING records WHERE bodies.writer = records.writer
  AND bodies.pos = records.pos AND ${inBodies} AND principal = 'demo/new'`

/** Each change, and what is said of it. */
const missing: Changes = [
  ["UPDATE records SET json = '' WHERE principal = 'demo/new' AND kind = 'decision'", /Its text is missing/],
  [`UPDATE records SET leaf_hash = sha256('') WHERE json = '' AND idx = 4`, /signed over other records/],
  [deleteNewBodies, /bodies are not stored beside it/],
  ["DELETE FROM data_keys WHERE subject = 'demo/new'", /key of its bodies is gone/],
  ["DELETE FROM data_keys WHERE subject = 'demo/held'", /key of its bodies is gone/],
  ["DELETE FROM records WHERE kind = 'erasure'", /missing/],
  [`UPDATE records SET json = '' WHERE kind = 'retention'`, /Its text is missing/],
  [`${forged(99, 0)}; ${deleteNewBodies}`, /bodies are not stored beside it/],
  [
    `${forged(99, 0)}; INSERT INTO stretches (first_seq, writer, first_pos, records) VALUES (-7, 99, 0, 1); ${deleteNewBodies}`,
    /bodies are not stored beside it/,
  ],
  [`${forged(1, 999999)}; ${deleteNewBodies}`, /bodies are not stored beside it/],
  [
    `INSERT INTO writers SELECT 99, epoch, 1, last_hash, 1, mac FROM writers LIMIT 1; ${forged(99, 0)}; ${deleteNewBodies}`,
    /row of writer 99 was changed/,
  ],
  [
    `UPDATE records SET json = regexp_replace(json, '"ranges":\\[.*?\\]\\]', '"ranges":[[0,999998]]') WHERE kind = 'retention' AND idx = ${newestOfBodies};
     ${deleteNewBodies}`,
    /text was changed/,
  ],
]

async function findAll(place: Awaited<ReturnType<typeof postgresLogPlace>>, all: Changes): Promise<void> {
  const untouched = new URL(place.url)
  const name = untouched.pathname.slice(1)
  for (const [change, said] of all) {
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
}

it('is not made good by a server that goes on with an order which was changed', async () => {
  const place = await writtenLog()
  const goOn = async () => {
    const log = await place.open()
    await log.decisionLog.append(decisionDraft({ namespace: 'one' }))
    await log.close()
  }
  await goOn()
  expect(await place.verify()).toMatchObject({ ok: true })
  await place.sql(`CREATE SCHEMA kept; ${copyTables('mcpworks_log', 'kept')}`)
  for (const change of ['UPDATE head SET checkpoints = 0', 'DELETE FROM head']) {
    await place.sql(`SET session_replication_role = replica; DELETE FROM checkpoints; ${change}`)
    const log = await place.open()
    // The next try to go on tells; until then appends are durable and chained, only in no order.
    await expect.poll(() => log.decisionLog.health()).toMatchObject({ ok: false })
    await expect(log.decisionLog.append(decisionDraft({ namespace: 'one' }))).rejects.toMatchObject({
      code: 'audit_unavailable',
    })
    await log.close()
    const report = await place.verify()
    expect(report.problems.map(({ problem }) => problem).join('\n'), change).toMatch(/head row was changed/)
    await place.sql(`SET session_replication_role = replica; ${restoreTables('kept', 'mcpworks_log')}`)
  }
})

const ofWriters = ['records', 'bodies', 'data_keys', 'writers']
const tables = [...ofWriters, 'head', 'stretches', 'sequenced', 'tiles', 'checkpoints', 'trees']

function copyTables(from: string, to: string): string {
  return tables.map((table) => `CREATE TABLE ${to}.${table} AS TABLE ${from}.${table}`).join('; ')
}

function restoreTables(from: string, to: string): string {
  return tables
    .map((table) => {
      const override = ['trees', 'data_keys'].includes(table) ? 'OVERRIDING SYSTEM VALUE' : ''
      return `DELETE FROM ${to}.${table}; INSERT INTO ${to}.${table} ${override} SELECT * FROM ${from}.${table}`
    })
    .join('; ')
}
