import { describe, expect, it } from 'vitest'
import { implementations, opened } from './implementations.ts'

describe.each(implementations)('the stores of use on $name', ({ place }) => {
  it('add up use by day over a restart, up to the largest exact number, and forget days', async () => {
    const where = place()
    const first = await where.open()
    const used = (id: string, calls: number, bytesIn: number) => ({ kind: 'agent' as const, id, calls, bytesIn })
    await first.usage.add('2026-11-20', [used('demo/a', 9, 9)])
    await first.usage.add('2026-11-21', [used('demo/a', 1, 10), { ...used('demo', 2, 3), kind: 'namespace' }])
    await first.usage.add('2026-11-21', [used('demo/a', 2, Number.MAX_SAFE_INTEGER)])
    await first.usage.add('2026-11-21', [])
    await first.close()
    const { usage } = await opened(where)
    expect(await usage.load('2026-11-21')).toEqual([
      used('demo/a', 3, Number.MAX_SAFE_INTEGER),
      { ...used('demo', 2, 3), kind: 'namespace' },
    ])
    await usage.forgetBefore('2026-11-21')
    expect(await usage.load('2026-11-20')).toEqual([])
    expect(await usage.load('2026-11-21')).toHaveLength(2)
  })

  it('keep counters of use as they are put last, find those of a key, and forget days', async () => {
    const where = place()
    const first = await where.open()
    const counter = (principal: string, target: string | null, day: number, calls: number) => {
      const minute: [number, number][] = [[1_780_000_000, calls]]
      const bytesOut = Number.MAX_SAFE_INTEGER
      return { namespace: 'demo', principal, target, day, calls, bytesOut, spend: 7, minute, throughIndex: calls }
    }
    const old = counter('demo/old', null, 20_000, 1)
    const many = Array.from({ length: 1500 }, (_, at) => counter('demo/a', `Tool t${at}`, 20_001, at))
    const mark = { namespace: 'demo', throughIndex: 5, atMs: 1_780_000_000_000 }
    await first.usageCounters.save([old, counter('demo/a', null, 20_001, 1), ...many], [mark])
    await first.usageCounters.save([counter('demo/a', null, 20_001, 2)], [{ ...mark, throughIndex: 9 }])
    await first.usageCounters.save([], [])
    await first.close()
    const { usageCounters } = await opened(where)
    expect(await usageCounters.marks()).toEqual([{ ...mark, throughIndex: 9 }])
    expect(await usageCounters.find({ namespace: 'demo', principal: 'demo/a', target: 'Tool t7' })).toEqual([
      counter('demo/a', null, 20_001, 2),
      counter('demo/a', 'Tool t7', 20_001, 7),
    ])
    expect(await usageCounters.find({ namespace: 'other', principal: 'demo/a', target: 'Tool t7' })).toEqual([])
    expect(await usageCounters.load(20_001, 10_000)).toHaveLength(1501)
    expect(await usageCounters.load(20_000, 3)).toHaveLength(3)
    await usageCounters.forgetBefore(20_001)
    expect(await usageCounters.load(0, 10_000)).toHaveLength(1501)
  })

  it('keep runs with their labels over a restart, the latest of each principal, and forget old ones', async () => {
    const where = place()
    const first = await where.open()
    const run = (principal: string, id: string, lastUsedMs: number) => ({
      namespace: 'demo',
      principal,
      id,
      labels: ['personal-data', 'untrusted-input'],
      lastUsedMs,
    })
    await first.runs.save([run('demo/a', 'r1', 1000), run('demo/b', 'r2', 2000)])
    await first.runs.save([run('demo/a', 'r3', 3000)])
    await first.runs.save([])
    await first.close()
    const { runs } = await opened(where)
    expect(await runs.load()).toEqual([run('demo/a', 'r3', 3000), run('demo/b', 'r2', 2000)])
    await runs.forgetBefore(2000.5)
    expect(await runs.load()).toHaveLength(2)
    await runs.forgetBefore(2001)
    expect(await runs.load()).toEqual([run('demo/a', 'r3', 3000)])
  })
})
