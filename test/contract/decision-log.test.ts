import { describe, expect, it } from 'vitest'
import { leafHash, openCheckpoint, verifyInclusion } from '../../src/audit/index.ts'
import { canonicalJson, sha256 } from '../../src/kernel/index.ts'
import { decisionDraft, eventDraft, outcomeDraft } from '../support/record-drafts.ts'
import { logImplementations, openedLog } from './decision-log-places.ts'

describe.each(logImplementations)('the decision log on $name', ({ place }) => {
  it('gives every record the next position of its namespace, whoever appends at the same time', async () => {
    const { decisionLog } = await openedLog(place())
    const drafts = Array.from({ length: 300 }, (_, position) =>
      decisionDraft({ namespace: position % 3 === 0 ? 'one' : 'two' }),
    )
    const receipts = await Promise.all(drafts.map((draft) => decisionLog.append(draft)))
    for (const namespace of ['one', 'two']) {
      const positions = receipts.filter((receipt) => receipt.namespace === namespace).map(({ index }) => index)
      expect(positions).toEqual(positions.map((_, position) => position))
    }
    expect(new Set(receipts.map(({ id }) => id)).size).toBe(300)
  })

  it('stores RFC 8785 text without the bodies, and gives the bodies back beside it', async () => {
    const { decisionLog } = await openedLog(place())
    const secret = '{"patient":"Ada Lovelace"}'
    const draft = decisionDraft({ input: secret, engineInput: '{"engine":"Ada Lovelace"}' })
    const decided = await decisionLog.append(draft)
    const ended = await decisionLog.append(outcomeDraft(draft, { output: '{"result":"Ada Lovelace"}' }))
    const records = await decisionLog.read({ namespace: 'demo', limit: 10 })
    expect(records.map(({ kind }) => kind)).toEqual(['decision', 'outcome'])
    for (const { json } of records) {
      expect(json).toBe(canonicalJson(JSON.parse(json)))
      expect(json).not.toContain('Ada')
      expect(json).not.toContain(sha256(secret))
    }
    expect(await decisionLog.readBody(decided.id, 'input')).toMatchObject({ body: secret })
    expect(await decisionLog.readBody(decided.id, 'engine_input')).toMatchObject({ body: '{"engine":"Ada Lovelace"}' })
    expect(await decisionLog.readBody(ended.id, 'output')).toMatchObject({ body: '{"result":"Ada Lovelace"}' })
    expect(await decisionLog.readBody(decided.id, 'output')).toBeNull()
    expect(await decisionLog.readBody('unknown', 'input')).toBeNull()
  })

  it('records what level of detail was kept', async () => {
    const { decisionLog } = await openedLog(place())
    const draft = decisionDraft({ input: null, engineInput: null })
    await decisionLog.append(draft)
    await decisionLog.append(decisionDraft())
    await decisionLog.append(outcomeDraft(draft))
    const records = await decisionLog.read({ namespace: 'demo', limit: 10 })
    expect(records.map(({ json }) => JSON.parse(json).level)).toEqual(['metadata', 'request', 'request_response'])
  })

  it('links every record to the one that the writer wrote before it, over all namespaces', async () => {
    const { decisionLog } = await openedLog(place())
    for (const namespace of ['one', 'two', 'one']) await decisionLog.append(decisionDraft({ namespace }))
    const records = await decisionLog.read({ namespace: null, limit: 10 })
    const writers = records.map(({ json }) => JSON.parse(json).writer)
    expect(writers.map(({ seq }) => seq)).toEqual([0, 1, 2])
    const hashes = records.map(({ json }) => `sha256:${leafHash(json).toString('hex')}`)
    expect(writers.map(({ prev_hash: previous }) => previous)).toEqual([null, hashes[0], hashes[1]])
  })

  it('finds records by call, kind, principal and position, in both directions', async () => {
    const { decisionLog } = await openedLog(place())
    const drafts = Array.from({ length: 6 }, (_, position) =>
      decisionDraft({ principal: position % 2 === 0 ? 'demo/a' : 'demo/b' }),
    )
    for (const draft of drafts) {
      await decisionLog.append(draft)
      await decisionLog.append(outcomeDraft(draft))
    }
    const positions = async (query: Partial<Parameters<typeof decisionLog.read>[0]>) =>
      (await decisionLog.read({ namespace: 'demo', limit: 100, ...query })).map(({ index }) => index)
    expect(await positions({ call: drafts[2]?.call ?? '' })).toEqual([4, 5])
    expect(await positions({ namespace: null, call: drafts[2]?.call ?? '' })).toEqual([4, 5])
    expect(await positions({ namespace: 'other', call: drafts[2]?.call ?? '' })).toEqual([])
    expect(await positions({ kinds: ['outcome'] })).toEqual([1, 3, 5, 7, 9, 11])
    expect(await positions({ principal: 'demo/b' })).toEqual([2, 6, 10])
    expect(await positions({ afterIndex: 8 })).toEqual([9, 10, 11])
    expect(await positions({ afterIndex: 3, descending: true })).toEqual([2, 1, 0])
    expect(await positions({ descending: true, limit: 2 })).toEqual([11, 10])
    const [third] = await decisionLog.read({ namespace: 'demo', afterIndex: 1, limit: 1 })
    expect(await positions({ namespace: null, afterId: third?.id ?? '', limit: 2 })).toEqual([3, 4])
    expect(await positions({ namespace: null, afterId: 'unknown' })).toEqual([])
    expect(await positions({ namespace: 'nobody' })).toEqual([])
  })

  it('refuses queries without a bound', async () => {
    const { decisionLog } = await openedLog(place())
    for (const limit of [0, 1001, 1.5, Number.NaN]) {
      await expect(decisionLog.read({ namespace: null, limit })).rejects.toMatchObject({ code: 'invalid_request' })
    }
    await expect(decisionLog.read({ namespace: null, afterIndex: 3, limit: 1 })).rejects.toMatchObject({
      code: 'invalid_request',
    })
  })

  it('takes no record for a namespace that cannot exist, and goes on with the others of the batch', async () => {
    const { decisionLog } = await openedLog(place())
    const [good, bad, door] = await Promise.allSettled([
      decisionLog.append(decisionDraft()),
      decisionLog.append(decisionDraft({ namespace: '../etc' })),
      decisionLog.append(eventDraft('denied-at-door', { code: 'credential_invalid' }, 'platform')),
    ])
    expect(good.status).toBe('fulfilled')
    expect(door.status).toBe('fulfilled')
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'name_invalid' } })
  })

  it('refuses a malformed draft alone, and takes the others of its batch', async () => {
    const { decisionLog } = await openedLog(place())
    const draft = decisionDraft()
    const broken = { ...draft, decision: { ...draft.decision, evaluatedAtMs: 1e300 } }
    const [bad, good] = await Promise.allSettled([decisionLog.append(broken), decisionLog.append(draft)])
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
    expect(good).toMatchObject({ status: 'fulfilled', value: { index: 0 } })
    expect(decisionLog.health()).toEqual({ ok: true })
  })

  it('records hostile text as it is, but for lone surrogates', async () => {
    const { decisionLog } = await openedLog(place())
    const hostile = '\u0000\u001b[2J"; DROP TABLE records; -- \ud800 \\ud800'
    await decisionLog.append(eventDraft('denied-at-door', { claimed: hostile }))
    const [record] = await decisionLog.read({ namespace: 'demo', limit: 1 })
    expect(JSON.parse(record?.json ?? '').event.claimed).toBe(hostile.toWellFormed())
  })

  it('keeps everything over a restart, and begins a new epoch of the same chain', async () => {
    const where = place()
    const first = await where.open()
    const draft = decisionDraft()
    const receipt = await first.decisionLog.append(draft)
    await first.decisionLog.append(outcomeDraft(draft))
    await first.close()
    const { decisionLog } = await openedLog(where)
    expect(await decisionLog.readBody(receipt.id, 'input')).toMatchObject({ body: '{"country":"CH","limit":5}' })
    expect(await decisionLog.append(decisionDraft())).toMatchObject({ index: 2 })
    const records = await decisionLog.read({ namespace: 'demo', limit: 10 })
    const writers = records.map(({ json }) => JSON.parse(json).writer)
    expect(writers.map(({ epoch }) => epoch)).toEqual([1, 1, 2])
    expect(writers[2].prev_hash).toBe(`sha256:${leafHash(records[1]?.json ?? '').toString('hex')}`)
  })

  it('writes abandoned at the next start for each allowed call that has no outcome, once', async () => {
    const where = place()
    const first = await where.open()
    const drafts = {
      finished: decisionDraft(),
      refused: decisionDraft({ effect: 'deny' }),
      lost: decisionDraft({ namespace: 'other' }),
    }
    await first.decisionLog.append(drafts.lost)
    await first.decisionLog.append(drafts.finished)
    await first.decisionLog.append(outcomeDraft(drafts.finished))
    await first.decisionLog.append(drafts.refused)
    await first.close()
    await (await where.open()).close()
    const { decisionLog } = await openedLog(where)
    const records = await decisionLog.read({ namespace: null, kinds: ['abandoned'], limit: 10 })
    expect(records.map(({ call, namespace }) => ({ call, namespace }))).toEqual([
      { call: drafts.lost.call, namespace: 'other' },
    ])
    const [decided] = await decisionLog.read({ namespace: 'other', limit: 1 })
    expect(JSON.parse(records[0]?.json ?? '').event.decision).toBe(decided?.id)
  })

  it('takes the time from the clock it was given, and bears one that steps back', async () => {
    let now = 1_900_000_000_000
    const storage = await place().open({ nowMs: () => now, monotonicMs: () => 0 })
    await storage.decisionLog.append(decisionDraft())
    now -= 3_600_000
    await storage.decisionLog.append(decisionDraft())
    const records = await storage.decisionLog.read({ namespace: 'demo', limit: 10 })
    await storage.close()
    expect(records.map(({ timeMs }) => timeMs)).toEqual([1_900_000_000_000, 1_899_996_400_000])
    expect(records.map(({ json }) => JSON.parse(json).time)).toEqual([
      '2030-03-17T17:46:40.000Z',
      '2030-03-17T16:46:40.000Z',
    ])
  })

  it('proves a record under a signed checkpoint of its namespace', async () => {
    const where = place()
    const first = await where.open()
    const receipts = await Promise.all(
      Array.from({ length: 700 }, () => first.decisionLog.append(decisionDraft({ effect: 'deny' }))),
    )
    await first.close()
    const { decisionLog } = await openedLog(where)
    for (const { id, index } of [receipts[0], receipts[255], receipts[256], receipts[699]].filter(
      (receipt) => receipt !== undefined,
    )) {
      const proof = await decisionLog.prove(id)
      const [record] = await decisionLog.read({ namespace: 'demo', afterIndex: index - 1, limit: 1 })
      expect(proof?.leafHash).toBe(leafHash(record?.json ?? '').toString('base64'))
      expect(proof?.checkpoint?.size).toBe(700)
      const [, , root] = proof?.checkpoint?.note.split('\n') ?? []
      const path = (proof?.inclusion ?? []).map((hash) => Buffer.from(hash, 'base64'))
      const inTree = (at: number) =>
        verifyInclusion(leafHash(record?.json ?? ''), at, 700, path, Buffer.from(root ?? '', 'base64'))
      expect(inTree(index)).toBe(true)
      expect(inTree((index + 1) % 700)).toBe(false)
      expect(
        openCheckpoint(proof?.checkpoint?.note ?? '', {
          name: 'mcpworks/another/demo',
          publicKey: Buffer.alloc(32, 1),
        }),
      ).toBeNull()
    }
    expect(await decisionLog.prove('unknown')).toBeNull()
  })

  it('signs a checkpoint by itself, soon after the last record', async () => {
    const { decisionLog } = await openedLog(place())
    const { id } = await decisionLog.append(decisionDraft({ effect: 'deny' }))
    expect((await decisionLog.prove(id))?.checkpoint).toBeNull()
    const signed = async () => (await decisionLog.prove(id))?.checkpoint?.size
    await expect.poll(signed, { timeout: 20_000 }).toBe(1)
  })

  it('refuses appends once it is closed', async () => {
    const storage = await place().open()
    await storage.close()
    await expect(storage.decisionLog.append(decisionDraft())).rejects.toMatchObject({ code: 'audit_unavailable' })
  })

  it('writes what is on its way before it closes', async () => {
    const where = place()
    const storage = await where.open()
    const waiting = Array.from({ length: 50 }, () => storage.decisionLog.append(decisionDraft({ effect: 'deny' })))
    await storage.close()
    expect(await Promise.all(waiting)).toHaveLength(50)
    const { decisionLog } = await openedLog(where)
    expect(await decisionLog.read({ namespace: 'demo', limit: 100 })).toHaveLength(50)
  })

  it('is healthy while it can be written', async () => {
    const { decisionLog } = await openedLog(place())
    expect(decisionLog.health()).toEqual({ ok: true })
    expect(await decisionLog.recheck()).toEqual({ ok: true })
    await decisionLog.append(decisionDraft())
  })
})
