import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { verifyBundle, writeBundle } from '../../src/audit/index.ts'
import { openBundleSource, openBundleTarget } from '../../src/storage/index.ts'
import { startPostgresCluster } from '../support/postgres-cluster.ts'
import { postgresDatabase } from '../support/postgres-database.ts'
import { postgresLogPlace } from '../support/postgres-log-place.ts'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const november = { nowMs: () => Date.parse('2026-11-30T23:59:59.000Z'), monotonicMs: () => 0 }
const december = { nowMs: () => Date.parse('2026-12-01T00:00:01.000Z'), monotonicMs: () => 0 }

/** Ends sessions by what they call themselves, and waits until they are gone. */
const terminate = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = $1`

describe('several writers of one log', () => {
  it('keep their records in one order, with a chain for each', async () => {
    const place = await postgresLogPlace()
    const logs = await Promise.all([place.open(), place.open(), place.open()])
    await Promise.all(
      Array.from({ length: 600 }, async (_, at) => {
        const log = logs[at % 3]?.decisionLog
        const draft = decisionDraft({ namespace: at % 2 === 0 ? 'one' : 'two' })
        await log?.append(draft)
        await log?.append(outcomeDraft(draft))
      }),
    )
    const whileOpen = await place.verify()
    expect(whileOpen).toMatchObject({ problems: [], records: { checked: 1200 } })
    await Promise.all(logs.map((log) => log.close()))
    const report = await place.verify()
    expect(report).toMatchObject({ ok: true, problems: [], records: { checked: 1200 }, unfinished: 0 })
    expect(report.headAuthenticated).toBe(true)
    expect(report.namespaces.map(({ namespace, size, unsigned }) => ({ namespace, size, unsigned }))).toEqual([
      { namespace: 'one', size: 600, unsigned: 0 },
      { namespace: 'two', size: 600, unsigned: 0 },
    ])
    const writers = await place.sql('SELECT count(*)::int AS records FROM records GROUP BY writer')
    expect(writers).toEqual([{ records: 400 }, { records: 400 }, { records: 400 }])
    const reader = place.reader()
    const bundle = join(temporaryDirectory(), 'bundle')
    expect(await writeBundle(reader, 'one', await openBundleTarget(bundle))).toMatchObject({ ok: true, records: 600 })
    const key = (await reader.publicKeyLine()) ?? ''
    await reader.close()
    expect(await verifyBundle(openBundleSource(bundle), key)).toMatchObject({ ok: true, problems: [], size: 600 })
  })

  it('begin the tree of a month once, whoever comes to it first, and nothing of the month lies in the one before', async () => {
    const place = await postgresLogPlace()
    const [early, late, later] = [await place.open(november), await place.open(december), await place.open(december)]
    await early.decisionLog.append(decisionDraft({ effect: 'deny' }))
    const drafts = Array.from({ length: 40 }, () => decisionDraft({ effect: 'deny' }))
    await Promise.all(drafts.map((draft, at) => (at % 2 === 0 ? late : later).decisionLog.append(draft)))
    // A clock that is behind goes on in the newest tree.
    await early.decisionLog.append(decisionDraft({ effect: 'deny' }))
    for (const log of [early, late, later]) await log.close()
    const report = await place.verify()
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(report.namespaces[0]?.trees.map(({ period, firstIndex, size }) => ({ period, firstIndex, size }))).toEqual([
      { period: '2026-11', firstIndex: 0, size: 1 },
      { period: '2026-12', firstIndex: 1, size: 42 },
    ])
    const again = await place.open(december)
    const [first] = await again.decisionLog.read({ namespace: 'demo', kinds: ['period'], limit: 1 })
    expect(await again.decisionLog.prove(first?.id ?? '')).toMatchObject({ period: '2026-12', leafIndex: 0, index: 1 })
  })

  it('read over all namespaces only what has its place in the order', async () => {
    const place = await postgresLogPlace()
    const [one, other] = [await place.open(), await place.open()]
    const ids: string[] = []
    for (let at = 0; at < 20; at++) {
      const log = at % 2 === 0 ? one : other
      ids.push((await log.decisionLog.append(decisionDraft({ namespace: `n${at % 3}`, effect: 'deny' }))).id)
    }
    const all = async () => (await one.decisionLog.read({ namespace: null, limit: 100 })).map(({ id }) => id)
    await expect.poll(async () => (await all()).length).toBe(20)
    expect(await all()).toEqual(ids)
    const after = await other.decisionLog.read({ namespace: null, afterId: ids[7] ?? '', limit: 5 })
    expect(after.map(({ id }) => id)).toEqual(ids.slice(8, 13))
    const before = { namespace: null, afterId: ids[7] ?? '', descending: true, limit: 3 }
    expect((await other.decisionLog.read(before)).map(({ id }) => id)).toEqual([ids[6], ids[5], ids[4]])
  })
})

it.each([
  ["UPDATE records SET json = replace(json, 'demo', 'dema') WHERE writer = 2 AND pos = 0", /text was changed/],
  ['DELETE FROM records WHERE writer = 2 AND pos = 1', /missing/],
  ['UPDATE writers SET next_pos = 1 WHERE writer = 1', /row of writer 1 was changed/],
])('finds what was changed behind the back of the servers: %s', async (change, said) => {
  const place = await postgresLogPlace()
  for (const log of [await place.open(), await place.open()]) {
    for (let at = 0; at < 2; at++) await log.decisionLog.append(decisionDraft({ effect: 'deny' }))
  }
  expect(await place.verify()).toMatchObject({ ok: true, problems: [] })
  await place.sql(change)
  const { ok, problems } = await place.verify()
  expect({ ok, problems: problems.map(({ problem }) => problem).join() }).toEqual({
    ok: false,
    problems: expect.stringMatching(said),
  })
})

describe('a writer whose session ends', () => {
  it('goes on with its chain, in the same epoch, and ends the calls that it began', async () => {
    const place = await postgresLogPlace()
    const { decisionLog, close } = await place.open()
    const draft = decisionDraft()
    await decisionLog.append(draft)
    await place.sql(terminate, ['mcpworks log'])
    await expect.poll(() => decisionLog.health().ok).toBe(false)
    await expect(decisionLog.append(decisionDraft())).rejects.toMatchObject({ code: 'audit_unavailable' })
    expect(await decisionLog.recheck()).toEqual({ ok: true })
    await decisionLog.append(outcomeDraft(draft))
    await close()
    expect(await place.verify()).toMatchObject({ ok: true, problems: [], records: { checked: 2 }, unfinished: 0 })
    expect(await place.sql('SELECT writer, epoch::int FROM writers')).toEqual([{ writer: 1, epoch: 1 }])
  })

  it('comes back by itself', async () => {
    const place = await postgresLogPlace()
    const { decisionLog } = await place.open()
    await place.sql(terminate, ['mcpworks log'])
    await expect.poll(() => decisionLog.health().ok).toBe(false)
    await expect.poll(() => decisionLog.health().ok).toBe(true)
    await decisionLog.append(decisionDraft({ effect: 'deny' }))
  })

  it('withholds the outcomes of its calls once somebody else has its writer, who records them as abandoned', async () => {
    const place = await postgresLogPlace()
    const first = await place.open()
    const draft = decisionDraft()
    await first.decisionLog.append(draft)
    const thief = new pg.Client({ connectionString: place.url })
    await thief.connect()
    onTestFinished(() => thief.end())
    // Waits for the lock, and so has it as soon as the session ends.
    const taken = thief.query('SELECT pg_advisory_lock(1835233388, 1)')
    await place.sql(terminate, ['mcpworks log'])
    await taken
    await expect.poll(() => first.decisionLog.health().ok).toBe(false)
    expect(await first.decisionLog.recheck()).toEqual({ ok: true })
    await expect(first.decisionLog.append(outcomeDraft(draft))).rejects.toMatchObject({ code: 'audit_unavailable' })
    await first.decisionLog.append(decisionDraft({ effect: 'deny' }))
    await thief.query('SELECT pg_advisory_unlock_all()')
    await (await place.open()).close()
    await first.close()
    expect(await place.verify()).toMatchObject({ ok: true, problems: [], unfinished: 0 })
    const kinds = await place.sql('SELECT writer, pos::int, kind FROM records ORDER BY writer, pos')
    expect(kinds).toEqual([
      { writer: 1, pos: 0, kind: 'decision' },
      { writer: 1, pos: 1, kind: 'abandoned' },
      { writer: 2, pos: 0, kind: 'decision' },
    ])
  })

  it('is succeeded as sequencer by another one', async () => {
    const place = await postgresLogPlace()
    const [one, other] = [await place.open(), await place.open()]
    await one.decisionLog.append(decisionDraft({ effect: 'deny' }))
    await expect.poll(async () => (await place.sql('SELECT FROM checkpoints')).length).toBe(1)
    await one.close()
    const { id } = await other.decisionLog.append(decisionDraft({ effect: 'deny' }))
    const signed = async () => (await other.decisionLog.prove(id))?.checkpoint?.size
    await expect.poll(signed).toBe(2)
    await other.close()
    expect(await place.verify()).toMatchObject({ ok: true, problems: [] })
  })
})

describe('a database that is not what it should be', () => {
  it('has everything that was acknowledged after it crashed, and the log goes on by itself', async () => {
    const cluster = await startPostgresCluster()
    onTestFinished(() => cluster.close())
    const place = await postgresLogPlace(cluster.url())
    const { decisionLog, close } = await place.open()
    const draft = decisionDraft()
    const { id } = await decisionLog.append(draft)
    const under = Promise.allSettled(Array.from({ length: 50 }, () => decisionLog.append(decisionDraft())))
    await cluster.stop('crash')
    const settled = await under
    await expect(decisionLog.append(outcomeDraft(draft))).rejects.toMatchObject({ code: 'audit_unavailable' })
    await cluster.start()
    await expect.poll(() => decisionLog.health().ok).toBe(true)
    await decisionLog.append(outcomeDraft(draft))
    await close()
    await (await place.open()).close()
    expect(await place.verify()).toMatchObject({ ok: true, problems: [], unfinished: 0 })
    const stored = new Set((await place.sql('SELECT id FROM records')).map((row) => row['id']))
    const acknowledged = settled.filter((result) => result.status === 'fulfilled').map(({ value }) => value.id)
    expect([id, ...acknowledged].filter((known) => !stored.has(known))).toEqual([])
  })

  it('is refused where it would lose what it acknowledges', async () => {
    const cluster = await startPostgresCluster({ settings: { fsync: 'off' } })
    onTestFinished(() => cluster.close())
    const place = await postgresLogPlace(cluster.url())
    const message = expect.stringContaining('fsync off') as string
    await expect(place.open()).rejects.toMatchObject({ code: 'storage_unavailable', message })
  })

  it('commits durably for the log where it does not for others', async () => {
    const place = await postgresLogPlace(await postgresDatabase())
    await place.sql(`ALTER DATABASE ${new URL(place.url).pathname.slice(1)} SET synchronous_commit = off`)
    const { decisionLog } = await place.open()
    await decisionLog.append(decisionDraft({ effect: 'deny' }))
    expect(await place.verify()).toMatchObject({ ok: true, records: { checked: 1 } })
  })
})
