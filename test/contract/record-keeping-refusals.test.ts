import { describe, expect, it } from 'vitest'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { logImplementations } from './decision-log-places.ts'
import { body, day, hold, keptLog, signed, start } from './kept-log.ts'

const erasure = { subject: 'demo/ada', by: 'operator', call: 'c' } as const
const texts = { namespace: 'demo', what: 'texts', days: 1 } as const

describe.each(logImplementations)('texts that a reader of the log has not had, on $name', ({ place }) => {
  it('stay until it has had them with the end of their call, or is not waited for any longer', async () => {
    const { now, storage, decisionLog, keeper, call, verify, close } = await keptLog(place())
    const first = await call('demo/ada')
    const second = decisionDraft({ principal: 'demo/ada' })
    const decided = await decisionLog.append(second)
    const ended = await decisionLog.append(outcomeDraft(second, { principal: 'demo/ada' }))
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 6)
    const step = { ...texts, beforeMs: start + day }
    const readBy = (position: string, untilMs = 0) => ({
      ...step,
      awaited: { readers: [{ name: 'export siem', position }], untilMs },
    })
    expect(await keeper.expire(readBy(''))).toMatchObject({ removed: 0 })
    expect(await keeper.expire(readBy('of-another-log'))).toMatchObject({ removed: 0 })
    expect(await keeper.expire(readBy(first.decided.id))).toMatchObject({ removed: 0 })
    expect(await keeper.expire(readBy(first.ended.id))).toMatchObject({ removed: 2, unread: [] })
    // It has had the decision, and will want it once more when it comes to the outcome.
    expect(await keeper.expire(readBy(decided.id))).toMatchObject({ removed: 0 })
    const forced = await keeper.expire(readBy(decided.id, start + day))
    expect(forced).toMatchObject({ removed: 2, unread: [{ reader: 'export siem', records: 2, since: 2 }] })
    const [, record] = await decisionLog.read({ namespace: 'demo', kinds: ['retention'], limit: 10 })
    expect(JSON.parse(record?.json ?? '').event).toMatchObject({
      from: 2,
      below: 4,
      unread: [{ reader: 'export siem', records: 2 }],
    })
    expect(await decisionLog.read({ namespace: 'demo', call: second.call, limit: 10 })).toEqual([])
    expect(ended.index).toBe(3)
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 4 } })
  })
})

describe.each(logImplementations)('a record that was written while the clock was ahead, on $name', ({ place }) => {
  it('goes when the next one goes that was not, and keeps nothing for years', async () => {
    const { now, storage, keeper, call, verify, close } = await keptLog(place())
    await call('demo/ada')
    now.ms += 3650 * day
    await call('demo/ada')
    now.ms = start + day
    const after = await call('demo/ada')
    now.ms = start + 3 * day
    await call('demo/ada')
    await signed(storage, 'demo', 8)
    // By the time that it is dated nothing says that it is old.
    expect(await keeper.expire({ ...texts, beforeMs: start + 1, days: 2.9 })).toMatchObject({ removed: 2 })
    expect(await keeper.expire({ ...texts, beforeMs: start + day, days: 2 })).toMatchObject({ removed: 0 })
    expect(await keeper.expire({ ...texts, beforeMs: start + day + 1, days: 1.9 })).toMatchObject({ removed: 4 })
    expect(await storage.decisionLog.read({ namespace: 'demo', call: after.call, limit: 5 })).toEqual([])
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 6 } })
  })
})

describe.each(logImplementations)('a row that is not as it was written, on $name', ({ place }) => {
  it('is told of where retention stops at it, also where it looks young', async () => {
    const { now, storage, keeper, call, spoil } = await keptLog(place())
    await call('demo/ada')
    await call('demo/ada')
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 6)
    await spoil(`UPDATE records SET time_ms = time_ms + ${10 * day} WHERE idx = 2`)
    const step = { ...texts, beforeMs: start + day }
    expect(await keeper.expire(step)).toMatchObject({ removed: 2, stoppedAt: 2 })
    expect(await keeper.expire(step)).toMatchObject({ removed: 0, stoppedAt: 2 })
    expect(await keeper.expire({ ...step, what: 'bodies' })).toMatchObject({ removed: 0, stoppedAt: 2 })
    await spoil(`UPDATE records SET time_ms = time_ms - ${10 * day} WHERE idx = 2`)
    const rest = await keeper.expire(step)
    expect(rest).toMatchObject({ removed: 2 })
    expect(rest).not.toHaveProperty('stoppedAt')
  })
})

describe.each(logImplementations)('what is left of a record whose text was let go, on $name', ({ place }) => {
  it('is missed where it was changed, and names nobody', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    await keeper.placeHold(hold(null))
    await keeper.liftHold({ namespace: 'demo', id: 'hold-all', by: 'operator', reason: 'closed' })
    await call('demo/ada')
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 8)
    expect(await keeper.expire({ ...texts, beforeMs: start + day })).toMatchObject({ removed: 4 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 4 } })
    await spoil('CREATE TABLE left_rows AS SELECT * FROM records')
    for (const change of ["kind = 'outcome'", "call = 'another'", 'time_ms = time_ms + 1']) {
      await spoil(`UPDATE records SET ${change} WHERE idx = 4`)
      expect(await verify(), change).toMatchObject({
        ok: false,
        firstProblem: { subject: 'record', index: 8, problem: expect.stringContaining('what is left of them') },
      })
      await spoil(
        'UPDATE records SET (kind, call, time_ms) = (SELECT kind, call, time_ms FROM left_rows WHERE left_rows.id = records.id)',
      )
    }
    // Of a text that is gone only the hash is left: one of another length must not be cut to one that fits.
    await spoil({ what: 'longer-hash', index: 0 })
    expect(await verify()).toMatchObject({ ok: false, firstProblem: { subject: 'record', index: 0 } })
    await spoil('UPDATE records SET leaf_hash = (SELECT leaf_hash FROM left_rows WHERE left_rows.id = records.id)')
    await spoil("UPDATE records SET principal = 'demo/bob' WHERE idx = 0")
    expect(await verify()).toMatchObject({ ok: false, firstProblem: { index: 0 } })
    await spoil('UPDATE records SET principal = NULL WHERE idx = 0')
    expect(await verify()).toMatchObject({ ok: true })
  })
})

describe.each(logImplementations)('the sweep after an erasure, on $name', ({ place }) => {
  async function swept(keeper: { sweepErased(): Promise<{ more: boolean; removed: number; uncovered?: unknown }> }) {
    const steps = []
    for (let more = true; more;) {
      const step = await keeper.sweepErased()
      steps.push(step)
      more = step.more
    }
    return {
      removed: steps.reduce((sum, { removed }) => sum + removed, 0),
      uncovered: steps.flatMap(({ uncovered }) => (uncovered === undefined ? [] : [uncovered])),
    }
  }

  it('deletes nothing of somebody whose erasure is on no record, and says so in the log', async () => {
    const { storage, decisionLog, keeper, call, verify, spoil, close } = await keptLog(place())
    const bob = await call('demo/bob')
    await call('demo/ada')
    await keeper.erase(erasure)
    // Somebody with access to the tables has the erasure be one of another principal, and all keys be of it.
    await spoil("UPDATE erasures SET subject = 'demo/bob'")
    expect(await swept(keeper)).toMatchObject({
      removed: 0,
      uncovered: [{ namespace: 'demo', event: { type: 'erasure-uncovered', subject: 'demo/bob', erasure: 4 } }],
    })
    expect(await body(storage, bob.decided, 'input')).toBe('{"of":"demo/bob"}')
    const alarms = await decisionLog.read({ namespace: 'demo', kinds: ['alarm'], limit: 10 })
    expect(alarms.map(({ json }) => JSON.parse(json).event)).toEqual([
      { type: 'erasure-uncovered', subject: 'demo/bob', erasure: 4 },
    ])
    await close()
    expect(await verify()).toMatchObject({ ok: true })
  })

  it('deletes nothing that only says to be sealed under an erased key, whoever it says it is of', async () => {
    const { decisionLog, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    const bob = await call('demo/bob')
    await spoil(`UPDATE bodies SET data_key = (SELECT min(data_key) FROM data_keys WHERE subject = 'demo/ada')`)
    await keeper.erase(erasure)
    expect(await swept(keeper)).toMatchObject({
      removed: 2,
      uncovered: [{ event: { type: 'erasure-uncovered', subject: 'demo/ada', ranges: [[2, 3]] } }],
    })
    const [, record] = await decisionLog.read({ namespace: 'demo', kinds: ['erasure'], limit: 10 })
    expect(JSON.parse(record?.json ?? '').event).toMatchObject({ ranges: [[0, 1]], removed: 2 })
    await close()
    // What was changed is found, and not taken for erased.
    expect(await verify()).toMatchObject({
      ok: false,
      removed: { bodies: 2 },
      bodies: { failed: 2 },
      firstProblem: { subject: 'body', id: bob.decided.id },
    })
    await spoil({ what: 'delete-bodies', id: bob.decided.id })
    expect(await verify()).toMatchObject({ ok: false, bodies: { failed: 2 }, firstProblem: { id: bob.decided.id } })
  })

  it('has nothing to do, and nothing to tell, where retention took the record of the erasure with all below it', async () => {
    const { decisionLog, keeper, call, spoil } = await keptLog(place())
    await call('demo/ada')
    await keeper.erase(erasure)
    await spoil("UPDATE records SET json = ''")
    expect(await swept(keeper)).toEqual({ removed: 0, uncovered: [] })
    expect(await decisionLog.read({ namespace: 'demo', kinds: ['alarm'], limit: 10 })).toEqual([])
  })

  it('deletes what others did for the principal, which was sealed under its keys', async () => {
    const { keeper, call, verify, close } = await keptLog(place())
    await call('demo/ada')
    await call('demo/crawler', 'demo', ['demo/ada'])
    await keeper.erase(erasure)
    expect(await swept(keeper)).toEqual({ removed: 4, uncovered: [] })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 4 } })
  })

  it('does not let what is on hold go for one of an erased key', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    const bob = await call('demo/bob')
    await keeper.placeHold(hold('demo/bob'))
    await spoil('UPDATE bodies SET data_key = 4711 WHERE data_key = (SELECT max(data_key) FROM data_keys)')
    now.ms += 2 * day
    await signed(storage, 'demo', 5)
    const step = { namespace: 'demo', what: 'bodies', beforeMs: now.ms, days: 1 } as const
    expect(await keeper.expire(step)).toMatchObject({ removed: 2, held: true })
    await spoil('UPDATE bodies SET data_key = (SELECT max(data_key) FROM data_keys) WHERE data_key = 4711')
    expect(await body(storage, bob.decided, 'input')).toBe('{"of":"demo/bob"}')
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 2 } })
  })
})

describe.each(logImplementations)('a legal hold in one namespace, on $name', ({ place }) => {
  it('keeps what that namespace has of the principal, is on record as what kept it, and lets the rest be erased', async () => {
    const { storage, decisionLog, keeper, call, verify, close } = await keptLog(place())
    const here = await call('demo/ada')
    const there = await call('demo/ada', 'other')
    await keeper.placeHold(hold('demo/ada'))
    expect(await keeper.erase(erasure)).toEqual({
      kind: 'erased',
      namespaces: [{ namespace: 'other', keys: 1 }],
      holds: [hold('demo/ada')],
    })
    expect(await body(storage, here.decided, 'input')).toBe('{"of":"demo/ada"}')
    expect(await body(storage, there.decided, 'input')).toBeNull()
    const [held] = await decisionLog.read({ namespace: 'demo', kinds: ['erasure'], limit: 10 })
    expect(JSON.parse(held?.json ?? '').event).toEqual({
      type: 'held',
      subject: 'demo/ada',
      holds: ['hold-demo/ada'],
      by: 'operator',
      asked_in: 'c',
    })
    await keeper.liftHold({ namespace: 'demo', id: 'hold-demo/ada', by: 'operator', reason: 'closed' })
    expect(await keeper.erase(erasure)).toMatchObject({ kind: 'erased', holds: [] })
    expect(await body(storage, here.decided, 'input')).toBeNull()
    while ((await keeper.sweepErased()).more);
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 4 } })
  })
})

describe.each(logImplementations)('a legal hold that somebody took out of its table, on $name', ({ place }) => {
  it('holds all the same, is listed, and can be lifted', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    const { decided } = await call('demo/ada')
    await keeper.placeHold(hold(null))
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 5)
    await spoil('DELETE FROM holds')
    const step = { ...texts, beforeMs: start + day }
    for (const what of ['texts', 'bodies'] as const)
      expect(await keeper.expire({ ...step, what })).toMatchObject({ removed: 0, held: true })
    expect(await keeper.erase(erasure)).toMatchObject({ kind: 'held', holds: [{ id: 'hold-all', reason: 'a case' }] })
    expect(await body(storage, decided, 'input')).not.toBeNull()
    expect(await keeper.holds('demo')).toEqual([hold(null)])
    expect(await keeper.holds(null)).toEqual([hold(null)])
    expect(await keeper.liftHold({ namespace: 'demo', id: 'hold-all', by: 'operator', reason: 'closed' })).toEqual(
      hold(null),
    )
    expect(await keeper.holds(null)).toEqual([])
    expect(await keeper.expire(step)).toMatchObject({ removed: 2, held: false })
    await close()
    expect(await verify()).toMatchObject({ ok: true })
  })

  it('lets nothing go where its record was changed too, and the log says where', async () => {
    const { now, storage, keeper, call, spoil } = await keptLog(place())
    await call('demo/ada')
    await keeper.placeHold(hold('demo/bob'))
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 5)
    await spoil("DELETE FROM holds; UPDATE records SET json = replace(json, 'demo/bob', 'demo/eve') WHERE idx = 2")
    const step = { ...texts, beforeMs: start + day }
    for (const what of ['texts', 'bodies'] as const)
      expect(await keeper.expire({ ...step, what })).toMatchObject({ removed: 0, stoppedAt: 2 })
    expect(await keeper.erase(erasure)).toMatchObject({ kind: 'held', holds: [{ id: 'record-2' }] })
    await spoil("UPDATE records SET json = replace(json, 'demo/eve', 'demo/bob') WHERE idx = 2")
    expect(await keeper.erase(erasure)).toMatchObject({ kind: 'erased' })
  })
})

describe.each(logImplementations)('where retention is made to begin further on, on $name', ({ name, place }) => {
  it('nothing that is missing before that is taken for let go', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    await keeper.placeHold(hold(null))
    await keeper.liftHold({ namespace: 'demo', id: 'hold-all', by: 'operator', reason: 'closed' })
    await call('demo/ada')
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 8)
    const on =
      name === 'SQLite'
        ? 'UPDATE logs SET texts_from = 4, bodies_from = 4'
        : 'INSERT INTO expiry (log, texts_from, bodies_from) SELECT log, 4, 4 FROM logs'
    await spoil(on)
    expect(await keeper.expire({ ...texts, beforeMs: start + day })).toMatchObject({ removed: 2 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 2 } })
    await spoil("UPDATE records SET json = '', principal = NULL WHERE idx < 4")
    expect(await verify()).toMatchObject({
      ok: false,
      records: { failed: 4 },
      firstProblem: { index: 0, problem: expect.stringContaining('no record says that it was let go') },
    })
  })
})

describe.each(logImplementations)('a clock that is set back again and again, on $name', ({ place }) => {
  it('makes nothing old that was written before', async () => {
    const { now, storage, keeper, call } = await keptLog(place())
    await call('demo/ada')
    now.ms = start - 1000 * day
    await call('demo/ada')
    now.ms = start - 500 * day
    await call('demo/ada')
    await signed(storage, 'demo', 6)
    const step = { ...texts, days: 30, beforeMs: now.ms - 30 * day }
    for (const what of ['bodies', 'texts'] as const)
      expect(await keeper.expire({ ...step, what, latestMs: start })).toMatchObject({ removed: 0 })
    // With the clock alone to go by, they look dated ahead, and as old as what followed.
    expect(await keeper.expire(step)).toMatchObject({ removed: 4 })
  })
})
