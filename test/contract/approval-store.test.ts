import { describe, expect, it } from 'vitest'
import type { Approval, ApprovalStore, StoredVerdict } from '../../src/approvals/index.ts'
import { sha256 } from '../../src/kernel/index.ts'
import { implementations, opened, type StoragePlace } from './implementations.ts'

const nowMs = 1_780_000_000_000

function request(parts: Partial<Approval> = {}): Approval {
  return {
    namespace: 'demo',
    id: '01900000-0000-7000-8000-000000000001',
    binding: 'a'.repeat(64),
    status: 'pending',
    requester: { type: 'agent', id: 'demo/helper', actors: ['demo/other', 'anna'] },
    door: 'tool',
    tool: 'refund',
    service: 'payments',
    definitionHash: sha256('definition'),
    codeHash: sha256('code'),
    rules: ['team.rules.yaml#large'],
    reasons: ['Needs a person.'],
    call: '01900000-0000-7000-8000-0000000000c1',
    sealedArguments: Uint8Array.of(1, 2, 3),
    requestedAtMs: nowMs,
    expiresAtMs: nowMs + 1000,
    decidedBy: null,
    decidedAtMs: null,
    comment: '',
    spentAtMs: null,
    spentByCall: null,
    ...parts,
  }
}

const approved: StoredVerdict = {
  status: 'approved',
  by: 'anna',
  atMs: nowMs + 10,
  expiresAtMs: nowMs + 500,
  comment: 'Seen.',
}
const denied: StoredVerdict = { ...approved, status: 'denied' }

describe.each(implementations)('requests for approval on $name', ({ place }) => {
  const storeAt = async (where: StoragePlace = place()): Promise<ApprovalStore> => (await opened(where)).approvals
  const { namespace, id, binding } = request()

  it('are kept over a restart as they were made', async () => {
    const where = place()
    const first = await where.open()
    expect(await first.approvals.insert(request({ codeHash: null }))).toBe(true)
    await first.close()
    const store = await storeAt(where)
    expect(await store.find(namespace, id)).toEqual(request({ codeHash: null }))
    expect(await store.find('other', id)).toBeNull()
    expect(await store.find(namespace, 'another')).toBeNull()
  })

  it('are one for each call while they are open, in each namespace', async () => {
    const store = await storeAt()
    const both = await Promise.all([store.insert(request()), store.insert(request({ id: 'second' }))])
    expect(both.filter(Boolean)).toHaveLength(1)
    expect(await store.insert(request({ namespace: 'other' }))).toBe(true)
    expect(await store.insert(request({ id: 'third', binding: 'b' }))).toBe(true)
    expect(await store.findOpen(namespace, binding, nowMs + 999)).toMatchObject({ id })
    expect(await store.findOpen(namespace, binding, nowMs + 1000)).toBeNull()
    await store.expire(nowMs + 1000)
    expect(await store.find(namespace, id)).toMatchObject({ status: 'expired', sealedArguments: null })
    expect(await store.find('other', id)).toMatchObject({ status: 'expired' })
    expect(await store.insert(request({ id: 'fourth' }))).toBe(true)
  })

  it('are decided by one person, once, in time', async () => {
    const store = await storeAt()
    await store.insert(request())
    expect(await store.decide('other', id, approved)).toBe(false)
    const many = [store.decide(namespace, id, approved), store.decide(namespace, id, { ...denied, by: 'bert' })]
    expect((await Promise.all(many)).filter(Boolean)).toHaveLength(1)
    expect(await store.decide(namespace, id, denied)).toBe(false)
    await store.insert(request({ id: 'late', binding: 'late', expiresAtMs: nowMs + 10 }))
    expect(await store.decide(namespace, 'late', approved)).toBe(false)
    expect(await store.decide(namespace, 'late', { ...approved, atMs: nowMs + 9 })).toBe(true)
  })

  it('are spent by one call, in time, and only where somebody approved them', async () => {
    const store = await storeAt()
    await store.insert(request())
    expect(await store.spend(namespace, binding, 'c', nowMs)).toBeNull()
    await store.decide(namespace, id, approved)
    expect(await store.find(namespace, id)).toMatchObject({ status: 'approved', sealedArguments: expect.anything() })
    expect(await store.spend('other', binding, 'c', nowMs)).toBeNull()
    expect(await store.spend(namespace, 'b', 'c', nowMs)).toBeNull()
    expect(await store.spend(namespace, binding, 'c', nowMs + 500)).toBeNull()
    const calls = Array.from({ length: 20 }, (_, index) => `call ${index}`)
    const spent = await Promise.all(calls.map((call) => store.spend(namespace, binding, call, nowMs + 499)))
    const winners = calls.filter((_, index) => spent[index] !== null)
    expect(winners).toHaveLength(1)
    expect(await store.find(namespace, id)).toMatchObject({
      status: 'spent',
      decidedBy: 'anna',
      decidedAtMs: nowMs + 10,
      comment: 'Seen.',
      spentByCall: winners[0],
      spentAtMs: nowMs + 499,
      sealedArguments: null,
    })
    expect(await store.decide(namespace, id, approved)).toBe(false)
    expect(await store.insert(request({ id: 'again' }))).toBe(true)
  })

  it('are never spent once they were denied, and forget what was asked', async () => {
    const store = await storeAt()
    await store.insert(request())
    await store.decide(namespace, id, denied)
    expect(await store.spend(namespace, binding, 'c', nowMs)).toBeNull()
    expect(await store.findOpen(namespace, binding, nowMs + 499)).toMatchObject({
      status: 'denied',
      sealedArguments: null,
    })
  })

  it('are counted by requester and namespace, and listed newest first', async () => {
    const store = await storeAt()
    const other = { ...request().requester, id: 'demo/other' }
    await store.insert(request({ id: 'a', binding: 'a', requestedAtMs: nowMs - 50 }))
    await store.insert(request({ id: 'b', binding: 'b' }))
    await store.insert(request({ id: 'c', binding: 'c', requester: other, requestedAtMs: nowMs + 1 }))
    await store.insert(request({ id: 'd', binding: 'd', namespace: 'other' }))
    await store.decide(namespace, 'b', denied)
    expect(await store.count(namespace, 'demo/helper', nowMs - 50, nowMs)).toEqual({
      pendingOfRequester: 1,
      pendingInNamespace: 2,
      madeSince: 1,
    })
    expect(await store.count(namespace, 'demo/helper', nowMs - 51, nowMs + 1000)).toEqual({
      pendingOfRequester: 0,
      pendingInNamespace: 0,
      madeSince: 2,
    })
    const ids = async (openOnly: boolean, limit: number, at = nowMs) =>
      (await store.list(namespace, { openOnly, nowMs: at, limit })).map((one) => one.id)
    expect(await ids(true, 10)).toEqual(['c', 'b', 'a'])
    expect(await ids(true, 10, nowMs + 500)).toEqual(['c', 'a'])
    expect(await ids(false, 2)).toEqual(['c', 'b'])
    expect(await ids(false, 10, nowMs + 5000)).toEqual(['c', 'b', 'a'])
  })

  it('are forgotten after a while, but for those that are open', async () => {
    const store = await storeAt()
    await store.insert(request())
    await store.insert(request({ id: 'old', binding: 'old' }))
    await store.decide(namespace, 'old', approved)
    await store.spend(namespace, 'old', 'c', nowMs)
    await store.sweep(nowMs)
    expect(await store.find(namespace, 'old')).not.toBeNull()
    await store.sweep(nowMs + 1)
    expect(await store.find(namespace, 'old')).toBeNull()
    expect(await store.find(namespace, id)).not.toBeNull()
  })
})
