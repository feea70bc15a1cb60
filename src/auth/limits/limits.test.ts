import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Caller, Clock, Principal } from '../../kernel/index.ts'
import { addressKey } from './address-key.ts'
import { createCallQuotas } from './call-quotas.ts'
import { limitsConfigSchema } from './config.ts'
import { CountedWindow } from './counted-window.ts'
import { createDoorLimits, type DoorLimits } from './door-limits.ts'
import type { Usage, UsageHolder, UsageStore } from './usage-store.ts'

const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() }
const after = (ms: number): void => void vi.advanceTimersByTime(ms)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  vi.setSystemTime(Date.UTC(2026, 10, 21, 12))
})
afterEach(() => void vi.useRealTimers())

function caller(name: string, namespace: string | null = 'demo'): Caller {
  const principal: Principal = {
    type: namespace === null ? 'user' : 'agent',
    id: namespace === null ? name : `${namespace}/${name}`,
    name,
    namespace,
    groups: [],
  }
  const authentication = {
    method: 'api-key',
    credentialId: name,
    senderConstrained: false,
    expiresAtMs: null,
    scopes: ['mcp'],
  } as const
  return { principal, authentication, client: { address: '', claimedName: null } }
}

describe('an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::ffff', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ])('%j counts as %j', (address, key) => expect(addressKey(address)).toBe(key))
})

describe('a counted window', () => {
  it('is over with the point after the last, for the rest of the window, and then begins anew', async () => {
    const window = new CountedWindow({ points: 2, seconds: 60, maxKeys: 10 })
    expect([await window.count('a'), await window.count('a')].map(({ isOver }) => isOver)).toEqual([false, false])
    after(20_000)
    expect(await window.count('a')).toEqual({ isOver: true, endsInMs: 40_000 })
    expect((await window.count('b')).isOver).toBe(false)
    after(40_000)
    expect((await window.count('a')).isOver).toBe(false)
  })

  it('holds no more keys than it may, however many come', async () => {
    const window = new CountedWindow({ points: 1, seconds: 60, maxKeys: 100 })
    for (let index = 0; index < 10_000; index += 1) await window.count(`key ${index}`)
    expect(window.size).toBe(100)
    expect(vi.getTimerCount()).toBeLessThanOrEqual(100)
  })
})

describe('limits at the door', () => {
  const config = limitsConfigSchema.parse({
    requestsPerMinute: 50,
    tokenRequestsPerMinute: 3,
    failuresPerMinute: 5,
    looksPerSecond: 2,
    maxSlowSeconds: 8,
    keyFailuresPerMinute: 4,
    agentRequestsPerMinute: 10,
    namespaceRequestsPerMinute: 15,
    managementRequestsPerMinute: 2,
  })
  let limits: DoorLimits
  beforeEach(() => (limits = createDoorLimits(config, clock)))

  const bad = `Bearer mcpw_${'b'.repeat(12)}_x`
  const fail = async (address: string, times: number, credential = bad) => {
    let last
    for (let index = 0; index < times; index += 1) last = await limits.failed(address, credential)
    return last
  }
  const tries = async (address: string, credential: string, times: number): Promise<number> => {
    let let_in = 0
    for (let index = 0; index < times; index += 1) if ((await limits.arrive('mcp', address, credential)).ok) let_in += 1
    return let_in
  }

  it('bound what one address asks, and not what its neighbour asks', async () => {
    expect(await tries('1.1.1.1', 'good', 60)).toBe(50)
    expect(await tries('1.1.1.2', 'good', 1)).toBe(1)
    expect(await limits.arrive('mcp', '1.1.1.1', 'good')).toEqual({
      ok: false,
      retryAfterSeconds: 60,
      reason: 'more than 50 requests a minute from one address',
    })
  })

  it('count all of an IPv6 /64 as one', async () => {
    let let_in = 0
    for (let index = 0; index < 60; index += 1)
      if ((await limits.arrive('mcp', `2001:db8::${index.toString(16)}`, null)).ok) let_in += 1
    expect(let_in).toBe(50)
  })

  it('have a budget of its own for the token endpoint, so that it cannot be used up by calls, nor calls by it', async () => {
    for (let index = 0; index < 3; index += 1) expect((await limits.arrive('token', '1.1.1.1', null)).ok).toBe(true)
    expect((await limits.arrive('token', '1.1.1.1', null)).ok).toBe(false)
    expect((await limits.arrive('mcp', '1.1.1.1', 'good')).ok).toBe(true)
  })

  it('slow an address with too many bad credentials, longer each time, up to the bound', async () => {
    expect(await fail('1.1.1.1', 5, 'Bearer no-key')).toEqual({ ok: true })
    const waits: number[] = []
    for (let round = 0; round < 6; round += 1) {
      const verdict = await fail('1.1.1.1', 6, 'Bearer no-key')
      if (verdict?.ok === false) waits.push(verdict.retryAfterSeconds)
      after(60_000)
    }
    expect(waits).toEqual([1, 2, 4, 8, 8, 8])
  })

  it('look at some unknown credentials of a slowed address each second, and at no more', async () => {
    await fail('1.1.1.1', 20)
    after(100)
    expect(await tries('1.1.1.1', 'guess', 10)).toBe(2)
    after(1000)
    expect(await tries('1.1.1.1', 'guess', 10)).toBe(10)
  })

  it('let a credential pass that was good at the slowed address before, however many strangers fail there', async () => {
    await fail('1.1.1.1', 1)
    await limits.admit('mcp', '1.1.1.1', 'good', caller('a'))
    await fail('1.1.1.1', 20)
    await tries('1.1.1.1', 'guess', 10)
    expect(await tries('1.1.1.1', 'good', 10)).toBe(10)
    expect(await tries('1.1.1.1', 'good, but of another', 1)).toBe(0)
  })

  it('never slow another address for the failures of one', async () => {
    await fail('1.1.1.1', 1000)
    expect(await tries('1.1.1.2', 'good', 20)).toBe(20)
  })

  it('answer wrong secrets of a key that many addresses guess with 429, and never refuse to look at one', async () => {
    const answers = []
    for (let index = 0; index < 10; index += 1) {
      expect((await limits.arrive('mcp', `1.1.2.${index}`, bad)).ok).toBe(true)
      answers.push((await limits.failed(`1.1.2.${index}`, bad)).ok)
    }
    expect(answers).toEqual([true, true, true, true, false, false, false, false, false, false])
    expect((await limits.arrive('mcp', '9.9.9.9', bad)).ok).toBe(true)
  })

  it('bound an agent, and all agents of a namespace, and no other namespace', async () => {
    const asks = async (who: Caller, times: number): Promise<number> => {
      let admitted = 0
      for (let index = 0; index < times; index += 1)
        if ((await limits.admit('mcp', '1.1.1.1', null, who)).ok) admitted += 1
      return admitted
    }
    expect(await asks(caller('a'), 12)).toBe(10)
    expect(await asks(caller('b'), 12)).toBe(5)
    expect(await asks(caller('a', 'other'), 12)).toBe(10)
  })

  it('bound management apart from calls', async () => {
    const admit = async (door: 'mcp' | 'management') =>
      (await limits.admit(door, '1.1.1.1', null, caller('anna', null))).ok
    expect([await admit('management'), await admit('management'), await admit('management')]).toEqual([
      true,
      true,
      false,
    ])
    expect(await admit('mcp')).toBe(true)
  })
})

describe('quotas of calls', () => {
  const config = limitsConfigSchema.parse({
    agentConcurrentCalls: 2,
    namespaceConcurrentCalls: 3,
    agentCallsPerDay: 5,
    namespaceCallsPerDay: 8,
    agentBytesPerDay: 1000,
  })
  const [a, b] = [caller('a').principal, caller('b').principal]
  const own: UsageHolder = { kind: 'agent', id: 'demo/a' }
  let store: UsageStore & { rows: Map<string, Usage>; broken: boolean; writes: number }

  beforeEach(() => {
    const rows = new Map<string, Usage>()
    store = {
      rows,
      broken: false,
      writes: 0,
      load: async (day) =>
        [...rows].flatMap(([key, usage]) => {
          const [at = '', kind = '', id = ''] = key.split(' ')
          return at === day ? [{ kind: kind as UsageHolder['kind'], id, ...usage }] : []
        }),
      async add(day, uses) {
        store.writes += 1
        if (store.broken) throw new Error('disk full')
        for (const { kind, id, calls, bytesIn } of uses) {
          const key = `${day} ${kind} ${id}`
          const before = rows.get(key) ?? { calls: 0, bytesIn: 0 }
          rows.set(key, { calls: before.calls + calls, bytesIn: before.bytesIn + bytesIn })
        }
      },
      async forgetBefore(day) {
        for (const key of rows.keys()) if (key < day) rows.delete(key)
      },
    }
  })
  const failures: unknown[] = []
  const open = (change = {}) =>
    createCallQuotas({
      store,
      config: { ...config, ...change },
      clock,
      onFailure: (error) => failures.push(error),
      periodMs: 5000,
    })

  it('bound calls under way by agent and by namespace, and give places back', async () => {
    const quotas = await open()
    const first = quotas.begin(a, 'demo', 1)
    expect([quotas.begin(a, 'demo', 1).ok, quotas.begin(a, 'demo', 1).ok]).toEqual([true, false])
    expect([quotas.begin(b, 'demo', 1).ok, quotas.begin(b, 'demo', 1).ok]).toEqual([true, false])
    expect(quotas.underWay(own)).toBe(2)
    if (first.ok) first.end()
    expect(quotas.begin(b, 'demo', 1).ok).toBe(true)
  })

  it('bound calls of a day, say when the next begins, and let them in then', async () => {
    const quotas = await open({ agentConcurrentCalls: 100, namespaceConcurrentCalls: 100 })
    for (let index = 0; index < 5; index += 1) expect(quotas.begin(a, 'demo', 1).ok).toBe(true)
    expect(quotas.begin(a, 'demo', 1)).toEqual({
      ok: false,
      retryAfterSeconds: 12 * 3600,
      reason: '5 calls of one agent a day',
    })
    for (let index = 0; index < 3; index += 1) expect(quotas.begin(b, 'demo', 1).ok).toBe(true)
    expect(quotas.begin(b, 'demo', 1)).toMatchObject({ reason: '8 calls of one namespace a day' })
    after(12 * 3600 * 1000)
    expect(quotas.begin(a, 'demo', 1).ok).toBe(true)
    expect(quotas.usedToday(own)).toEqual({ calls: 1, bytesIn: 1 })
  })

  it('do not give a used up day again to a clock that is set back', async () => {
    const quotas = await open({ agentConcurrentCalls: 100 })
    for (let index = 0; index < 5; index += 1) quotas.begin(a, 'demo', 1)
    vi.setSystemTime(Date.UTC(2026, 10, 20, 12))
    expect(quotas.begin(a, 'demo', 1).ok).toBe(false)
  })

  it('bound bytes, and stay at the largest exact number', async () => {
    const quotas = await open({ agentBytesPerDay: Number.MAX_SAFE_INTEGER })
    for (let index = 0; index < 3; index += 1) {
      const place = quotas.begin(a, 'demo', Number.MAX_SAFE_INTEGER)
      if (place.ok) place.end()
    }
    expect(quotas.usedToday(own).bytesIn).toBe(Number.MAX_SAFE_INTEGER)
    expect(quotas.begin(a, 'demo', 1)).toMatchObject({ ok: false })
  })

  it('hold over a restart, and write at most once in a period', async () => {
    const first = await open({ agentConcurrentCalls: 100, namespaceConcurrentCalls: 100 })
    for (let index = 0; index < 4; index += 1) first.begin(a, 'demo', 10)
    await vi.advanceTimersByTimeAsync(5000)
    expect(store.writes).toBe(1)
    const second = await open({ agentConcurrentCalls: 100 })
    expect(second.usedToday(own)).toEqual({ calls: 4, bytesIn: 40 })
    expect([second.begin(a, 'demo', 1).ok, second.begin(a, 'demo', 1).ok]).toEqual([true, false])
    await second.close()
    expect(store.rows.get('2026-11-21 agent demo/a')).toEqual({ calls: 5, bytesIn: 41 })
  })

  it('write later what cannot be written, also of a day that is over, and count on meanwhile', async () => {
    const quotas = await open({ agentConcurrentCalls: 100 })
    quotas.begin(a, 'demo', 10)
    store.broken = true
    await quotas.flush()
    expect(failures).toHaveLength(1)
    after(12 * 3600 * 1000)
    quotas.begin(a, 'demo', 7)
    store.broken = false
    await quotas.flush()
    expect(store.rows.get('2026-11-21 agent demo/a')).toEqual({ calls: 1, bytesIn: 10 })
    expect(store.rows.get('2026-11-22 agent demo/a')).toEqual({ calls: 1, bytesIn: 7 })
  })
})
