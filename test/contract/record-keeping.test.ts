import { describe, expect, it } from 'vitest'
import { decisionDraft, outcomeDraft } from '../support/record-drafts.ts'
import { logImplementations } from './decision-log-places.ts'
import { body, day, hold, keptLog, signed, start } from './kept-log.ts'

describe.each(logImplementations)('bodies that have had their time, on $name', ({ place }) => {
  it('are deleted with a record, and the log verifies', async () => {
    const { now, storage, decisionLog, keeper, call, verify, close } = await keptLog(place())
    const old = await call('demo/ada')
    now.ms += 2 * day
    const recent = await call('demo/ada')
    await decisionLog.recheck()
    const step = { namespace: 'demo', what: 'bodies', beforeMs: start + day, days: 1 } as const
    await signed(storage, 'demo', 4)
    expect(await keeper.expire(step)).toMatchObject({ removed: 2, held: false })
    expect(await keeper.expire(step)).toMatchObject({ removed: 0 })
    expect(await body(storage, old.decided, 'input')).toBeNull()
    expect(await body(storage, old.ended, 'output')).toBeNull()
    expect(await body(storage, recent.decided, 'input')).toBe('{"of":"demo/ada"}')
    const [record] = await decisionLog.read({ namespace: 'demo', kinds: ['retention'], limit: 10 })
    expect(JSON.parse(record?.json ?? '').event).toEqual({ what: 'bodies', days: 1, ranges: [[0, 1]], removed: 2 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 0, bodies: 2 }, bodies: { failed: 0 } })
  })

  it('are missed where no record names them', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    await call('demo/ada')
    now.ms += 2 * day
    const { ended } = await call('demo/ada')
    await signed(storage, 'demo', 6)
    await keeper.expire({ namespace: 'demo', what: 'bodies', beforeMs: start + day, days: 1 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 4 } })
    await spoil({ what: 'delete-bodies', id: ended.id })
    expect(await verify()).toMatchObject({
      ok: false,
      firstProblem: { subject: 'body', id: ended.id, problem: 'Its bodies are not stored beside it any more.' },
    })
  })
})

describe.each(logImplementations)('texts that have had their time, on $name', ({ place }) => {
  it('are deleted in steps with what is beside them, and hashes vouch for the rest', async () => {
    const { now, storage, decisionLog, keeper, call, verify, close } = await keptLog(place())
    const old = await call('demo/ada')
    const open = decisionDraft({ principal: 'demo/ada' })
    await decisionLog.append(open)
    now.ms += 2 * day
    await decisionLog.append(outcomeDraft(open, { principal: 'demo/ada' }))
    const recent = await call('demo/bob')
    await signed(storage, 'demo', 6)
    const result = await keeper.expire({ namespace: 'demo', what: 'texts', beforeMs: start + day, days: 1 })
    expect(result).toMatchObject({ removed: 3, held: false })
    const [record] = await decisionLog.read({ namespace: 'demo', kinds: ['retention'], limit: 10 })
    expect(JSON.parse(record?.json ?? '').event).toEqual({
      what: 'texts',
      from: 0,
      below: 3,
      removed: 3,
      columns: expect.stringMatching(/^sha256:/),
      days: 1,
      calls: [open.call],
    })
    const left = await decisionLog.read({ namespace: 'demo', limit: 10 })
    expect(left.map(({ index }) => index)).toEqual([3, 4, 5, 6])
    expect(await decisionLog.read({ namespace: 'demo', principal: 'demo/ada', limit: 10 })).toEqual([])
    expect(await decisionLog.read({ namespace: 'demo', call: old.call, limit: 10 })).toEqual([])
    const all = await decisionLog.read({ namespace: 'demo', limit: 10, withoutText: true })
    expect(all.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6])
    const places = await decisionLog.read({ namespace: 'demo', call: old.call, limit: 10, withoutText: true })
    expect(places.map(({ kind, json }) => [kind, json])).toEqual([
      ['decision', ''],
      ['outcome', ''],
    ])
    expect(await decisionLog.prove(recent.decided.id)).toMatchObject({ index: 4 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 3 }, records: { checked: 7, failed: 0 } })
  })

  it('are missed where no record says that they were let go, and so is a changed hash of one that was', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    await call('demo/ada')
    now.ms += 2 * day
    const { decided } = await call('demo/ada')
    await call('demo/ada')
    await signed(storage, 'demo', 8)
    await keeper.expire({ namespace: 'demo', what: 'texts', beforeMs: start + day, days: 1 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 4 } })
    await spoil(`UPDATE records SET json = '' WHERE id = '${decided.id}'`)
    expect(await verify()).toMatchObject({
      ok: false,
      firstProblem: { subject: 'record', id: decided.id, problem: expect.stringContaining('Its text is missing') },
    })
    await spoil({ what: 'change-hash', index: 1 })
    const report = await verify()
    expect(report.problems.some(({ subject }) => subject === 'checkpoint')).toBe(true)
  })

  it('stay from a row on that was made to look old, or to be something else', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    now.ms += 2 * day
    await call('demo/ada')
    await signed(storage, 'demo', 4)
    const step = { namespace: 'demo', beforeMs: start + day, days: 1 } as const
    expect(await keeper.expire({ ...step, what: 'texts' })).toMatchObject({ removed: 2 })
    // Nothing is to be signed while the rows say something else.
    await signed(storage, 'demo', 5)
    await spoil('CREATE TABLE written AS SELECT * FROM records')
    for (const change of [
      'time_ms = 0',
      "time_ms = 0, kind = 'function'",
      "time_ms = 0, json = ''",
      "time_ms = time_ms - 31536000000, json = replace(json, '2026-01-12', '2025-01-12')",
    ]) {
      await spoil(`UPDATE records SET ${change} WHERE idx >= 2`)
      for (const what of ['texts', 'bodies'] as const)
        expect(await keeper.expire({ ...step, what }), change).toMatchObject({ removed: 0 })
      expect(await verify(), change).toMatchObject({ ok: false })
      await spoil(
        `UPDATE records SET (time_ms, kind, json) = (SELECT time_ms, kind, json FROM written WHERE written.id = records.id)`,
      )
    }
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 2 } })
    // As they were written they go when their time has come.
    expect(await keeper.expire({ ...step, what: 'texts', beforeMs: now.ms + 1 })).toMatchObject({ removed: 2 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 4 } })
  })

  it('stay where their call is under way or no signature covers them', async () => {
    const { now, storage, decisionLog, keeper, call } = await keptLog(place())
    await decisionLog.append(decisionDraft())
    await call('demo/ada')
    now.ms += 2 * day
    await signed(storage, 'demo', 3)
    const step = { namespace: 'demo', what: 'texts', beforeMs: now.ms, days: 1 } as const
    expect(await keeper.expire(step)).toMatchObject({ removed: 0 })
    expect(await keeper.expire({ ...step, namespace: 'nowhere' })).toMatchObject({ removed: 0 })
  })
})

describe.each(logImplementations)('a principal that is erased, on $name', ({ place }) => {
  it('loses its keys at once and its boxes in steps, and nobody else loses anything', async () => {
    const { storage, decisionLog, keeper, call, verify, spoil, close } = await keptLog(place())
    const ada = await call('demo/ada')
    const bob = await call('demo/bob')
    const elsewhere = await call('demo/ada', 'other')
    expect(await body(storage, ada.decided, 'input')).toBe('{"of":"demo/ada"}')
    expect(await keeper.erase({ subject: 'demo/ada', by: 'operator', call: 'c' })).toEqual({
      kind: 'erased',
      namespaces: [
        { namespace: 'demo', keys: 1 },
        { namespace: 'other', keys: 1 },
      ],
      holds: [],
    })
    // Before any box is deleted they cannot be read.
    for (const record of [ada.decided, elsewhere.decided]) expect(await body(storage, record, 'input')).toBeNull()
    expect(await body(storage, ada.ended, 'output')).toBeNull()
    expect(await body(storage, bob.decided, 'input')).toBe('{"of":"demo/bob"}')
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 4 } })
    const again = await call('demo/ada')
    let removed = 0
    for (let more = true; more;) {
      const step = await keeper.sweepErased()
      removed += step.removed
      more = step.more
    }
    expect(removed).toBe(4)
    expect(await body(storage, again.decided, 'input')).toBe('{"of":"demo/ada"}')
    expect(await decisionLog.read({ namespace: 'demo', kinds: ['erasure'], limit: 10 })).toHaveLength(2)
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 4 } })
    await spoil("DELETE FROM data_keys WHERE subject = 'demo/bob'")
    expect(await verify()).toMatchObject({
      ok: false,
      firstProblem: {
        subject: 'body',
        id: bob.decided.id,
        problem: expect.stringContaining('key of its bodies is gone'),
      },
    })
  })
})

describe.each(logImplementations)('a legal hold, on $name', ({ place }) => {
  it('keeps everything of a namespace until it is lifted', async () => {
    const { now, storage, keeper, call, verify, close } = await keptLog(place())
    const { decided } = await call('demo/ada')
    await keeper.placeHold(hold(null))
    expect(await keeper.holds('demo')).toEqual([hold(null)])
    expect(await keeper.holds('other')).toEqual([])
    now.ms += 2 * day
    await signed(storage, 'demo', 3)
    for (const what of ['bodies', 'texts'] as const)
      expect(await keeper.expire({ namespace: 'demo', what, beforeMs: now.ms, days: 1 })).toMatchObject({
        removed: 0,
        held: true,
      })
    expect(await keeper.erase({ subject: 'demo/ada', by: 'operator', call: 'c' })).toEqual({
      kind: 'held',
      holds: [hold(null)],
    })
    expect(await body(storage, decided, 'input')).not.toBeNull()
    const lift = { namespace: 'demo', id: 'hold-all', by: 'operator', reason: 'closed' }
    expect(await keeper.liftHold({ ...lift, namespace: 'other' })).toBeNull()
    expect(await keeper.liftHold(lift)).toEqual(hold(null))
    expect(await keeper.liftHold(lift)).toBeNull()
    expect(await keeper.expire({ namespace: 'demo', what: 'bodies', beforeMs: now.ms, days: 1 })).toMatchObject({
      removed: 2,
    })
    await close()
    expect(await verify()).toMatchObject({ ok: true })
  })

  it('on one principal keeps what is beside its records, lets others go, and what it kept goes once it is lifted', async () => {
    const { now, storage, keeper, call, verify, close } = await keptLog(place())
    const ada = await call('demo/ada')
    const bob = await call('demo/bob')
    await keeper.placeHold(hold('demo/ada'))
    now.ms += 2 * day
    await signed(storage, 'demo', 5)
    const step = { namespace: 'demo', what: 'bodies', beforeMs: now.ms, days: 1 } as const
    expect(await keeper.expire(step)).toMatchObject({ removed: 2, held: true })
    expect(await body(storage, ada.decided, 'input')).not.toBeNull()
    expect(await body(storage, bob.decided, 'input')).toBeNull()
    expect(await keeper.erase({ subject: 'demo/ada', by: 'operator', call: 'c' })).toMatchObject({ kind: 'held' })
    expect(await keeper.erase({ subject: 'demo/bob', by: 'operator', call: 'c' })).toMatchObject({ kind: 'erased' })
    await keeper.liftHold({ namespace: 'demo', id: 'hold-demo/ada', by: 'operator', reason: 'closed' })
    expect(await keeper.expire(step)).toMatchObject({ removed: 2 })
    await close()
    expect(await verify()).toMatchObject({ ok: true })
  })

  it('keeps what somebody else did for the principal, whoever that is erased', async () => {
    const { storage, keeper, call, verify, close } = await keptLog(place())
    const forAda = await call('demo/crawler', 'demo', ['demo/ada'])
    const own = await call('demo/crawler')
    await keeper.placeHold(hold('demo/ada'))
    expect(await keeper.erase({ subject: 'demo/crawler', by: 'operator', call: 'c' })).toMatchObject({ kind: 'erased' })
    while ((await keeper.sweepErased()).more);
    expect(await body(storage, own.decided, 'input')).toBeNull()
    expect(await body(storage, forAda.decided, 'input')).toBe('{"of":"demo/crawler"}')
    expect(await body(storage, forAda.ended, 'output')).toBe('{"for":"demo/crawler"}')
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { bodies: 2 } })
  })

  it('on one principal excuses nothing that was taken behind its back', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    const ada = await call('demo/ada')
    await call('demo/bob')
    await keeper.placeHold(hold('demo/ada'))
    await spoil("DELETE FROM bodies WHERE data_key IN (SELECT data_key FROM data_keys WHERE subject = 'demo/ada')")
    now.ms += 2 * day
    await signed(storage, 'demo', 5)
    const step = { namespace: 'demo', what: 'bodies', beforeMs: now.ms, days: 1 } as const
    expect(await keeper.expire(step)).toMatchObject({ removed: 2 })
    await close()
    expect(await verify()).toMatchObject({
      ok: false,
      removed: { bodies: 2 },
      firstProblem: { subject: 'body', id: ada.decided.id },
    })
  })

  it('keeps what is of the principal where the row of its key names another', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    const ada = await call('demo/ada')
    const bob = await call('demo/bob')
    await keeper.placeHold(hold('demo/ada'))
    await spoil("UPDATE data_keys SET subject = 'demo/eve' WHERE subject = 'demo/ada'")
    now.ms += 2 * day
    await signed(storage, 'demo', 5)
    expect(await keeper.expire({ namespace: 'demo', what: 'bodies', beforeMs: now.ms, days: 1 })).toMatchObject({
      removed: 2,
      held: true,
    })
    expect(await keeper.erase({ subject: 'demo/eve', by: 'operator', call: 'c' })).toEqual({
      kind: 'erased',
      namespaces: [{ namespace: 'demo', keys: 0 }],
      holds: [],
    })
    await spoil("UPDATE data_keys SET subject = 'demo/ada' WHERE subject = 'demo/eve'")
    expect(await body(storage, ada.decided, 'input')).toBe('{"of":"demo/ada"}')
    expect(await body(storage, bob.decided, 'input')).toBeNull()
    await close()
    expect(await verify()).toMatchObject({ ok: true })
  })

  it('cannot be blotted out of the log where texts around it went', async () => {
    const { now, storage, decisionLog, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    await keeper.placeHold(hold(null))
    await call('demo/ada')
    now.ms += 2 * day
    await signed(storage, 'demo', 5)
    await keeper.liftHold({ namespace: 'demo', id: 'hold-all', by: 'operator', reason: 'closed' })
    const step = { namespace: 'demo', what: 'texts', beforeMs: now.ms, days: 1 } as const
    expect(await keeper.expire(step)).toMatchObject({ removed: 4 })
    const [record] = await decisionLog.read({ namespace: 'demo', kinds: ['retention'], limit: 10 })
    expect(JSON.parse(record?.json ?? '').event).toMatchObject({ below: 5, kept: [[2, 2]] })
    // A step that finds nothing to let go leaves no record of itself.
    expect(await keeper.expire({ ...step, beforeMs: now.ms + day })).toMatchObject({ removed: 0 })
    await close()
    expect(await verify()).toMatchObject({ ok: true, removed: { texts: 4 } })
    await spoil("UPDATE records SET json = '', kind = 'function' WHERE kind = 'legal-hold' AND idx = 2")
    expect(await verify()).toMatchObject({
      ok: false,
      firstProblem: { index: 2, problem: expect.stringContaining('Its text is missing') },
    })
  })

  it('shows in the log itself where something was taken out against it', async () => {
    const { now, storage, keeper, call, verify, spoil, close } = await keptLog(place())
    await call('demo/ada')
    await keeper.placeHold(hold(null))
    now.ms += 2 * day
    await signed(storage, 'demo', 3)
    // Somebody with access to the file takes the hold out behind the log's back, and its record for as long as that takes.
    await spoil("DELETE FROM holds; UPDATE records SET kind = 'alarm' WHERE idx = 2")
    expect(await keeper.expire({ namespace: 'demo', what: 'texts', beforeMs: now.ms, days: 1 })).toMatchObject({
      removed: 2,
      held: false,
    })
    await spoil("UPDATE records SET kind = 'legal-hold' WHERE idx = 2")
    await close()
    const report = await verify()
    expect(report.ok).toBe(false)
    expect(report.problems).toContainEqual(expect.objectContaining({ problem: 'It takes out what was on legal hold.' }))
  })
})
