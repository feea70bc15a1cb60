import { describe, expect, it } from 'vitest'
import { createRunLedger, openRunLedger } from './run-ledger.ts'
import type { StoredRun } from './run.ts'

const idleMs = 60_000

/** A place with a store and clocks, on which ledgers can be opened one after the other. */
function place() {
  const time = { wallMs: 1_800_000_000_000, monotonicMs: 0 }
  const stored = new Map<string, StoredRun>()
  const failures: unknown[] = []
  const disk = { isFull: false, saves: 0 }
  const ports = {
    store: {
      load: async () => [...stored.values()],
      async save(runs: readonly StoredRun[]) {
        disk.saves += 1
        if (disk.isFull) throw new Error('the disk is full')
        for (const run of runs) stored.set(`${run.namespace}/${run.principal}`, run)
      },
      async forgetBefore(timeMs: number) {
        for (const [key, run] of stored) if (run.lastUsedMs < timeMs) stored.delete(key)
      },
    },
    clock: { nowMs: () => time.wallMs, monotonicMs: () => time.monotonicMs },
    idleMs,
    onFailure: (error: unknown) => failures.push(error),
    periodMs: 2 ** 31 - 1,
  }
  return {
    stored,
    failures,
    disk,
    time,
    wait(ms: number) {
      time.wallMs += ms
      time.monotonicMs += ms
    },
    open: async () => openRunLedger(ports),
    create: () => createRunLedger(ports),
  }
}

describe('a run', () => {
  it('lasts until no call was made for too long, and has one id for all of a principal', () => {
    const where = place()
    const runs = where.create()
    const first = runs.enter('demo', 'demo/a')
    first.leave()
    where.wait(idleMs - 1)
    const second = runs.enter('demo', 'demo/a')
    second.leave()
    expect(second.run.id).toBe(first.run.id)
    expect(runs.enter('other', 'demo/a').run.id).not.toBe(first.run.id)
    expect(runs.enter('demo', 'demo/b').run.id).not.toBe(first.run.id)
    where.wait(idleMs)
    expect(runs.enter('demo', 'demo/a').run.id).not.toBe(first.run.id)
  })

  it('is not over while a call of it is under way, however long that takes', () => {
    const where = place()
    const runs = where.create()
    const long = runs.enter('demo', 'demo/a')
    where.wait(10 * idleMs)
    expect(runs.enter('demo', 'demo/a').run.id).toBe(long.run.id)
    long.leave()
  })

  it('gathers labels for all that share it, at once, and loses none', () => {
    const runs = place().create()
    const { run } = runs.enter('demo', 'demo/a')
    const other = runs.enter('demo', 'demo/a').run
    run.gather(['untrusted-input'])
    expect(other.labels).toEqual(['untrusted-input'])
    other.gather(['personal-data'])
    other.gather([])
    expect(run.labels).toEqual(['personal-data', 'untrusted-input'])
  })

  it('has its labels after a kill, if they were waited for, and no more and no less', async () => {
    const where = place()
    const { run, leave } = (await where.open()).enter('demo', 'demo/a')
    run.gather(['untrusted-input'])
    await run.kept()
    leave()
    where.wait(idleMs - 1)
    const again = (await where.open()).enter('demo', 'demo/a').run
    expect(again).toMatchObject({ id: run.id, labels: ['untrusted-input'] })
  })

  it('writes only what is new: waiting again costs nothing, and waiting together one write', async () => {
    const where = place()
    const { run } = (await where.open()).enter('demo', 'demo/a')
    run.gather(['a'])
    await Promise.all([run.kept(), run.kept()])
    await run.kept()
    expect(where.disk.saves).toBe(1)
    run.gather(['b'])
    const first = run.kept()
    run.gather(['c'])
    await Promise.all([first, run.kept()])
    expect(where.stored.get('demo/demo/a')?.labels).toEqual(['a', 'b', 'c'])
  })

  it('says where its labels could not be kept, has them all the same, and keeps them when that works again', async () => {
    const where = place()
    const { run } = (await where.open()).enter('demo', 'demo/a')
    where.disk.isFull = true
    run.gather(['untrusted-input'])
    await expect(run.kept()).rejects.toThrow('the disk is full')
    expect(run.labels).toEqual(['untrusted-input'])
    where.disk.isFull = false
    await run.kept()
    expect(where.stored.size).toBe(1)
  })

  it('is as idle after a start as it was used before, and is over then where that is too long', async () => {
    const where = place()
    const first = await where.open()
    const { run, leave } = first.enter('demo', 'demo/a')
    run.gather(['untrusted-input'])
    await run.kept()
    where.wait(50_000)
    leave()
    await first.close()
    where.wait(50_000)
    const second = await where.open()
    expect(second.enter('demo', 'demo/a').run.labels).toEqual(['untrusted-input'])
    where.wait(idleMs)
    const third = await where.open()
    expect(third.enter('demo', 'demo/a').run.labels).toEqual([])
    expect(where.stored.size).toBe(0)
    expect(where.failures).toEqual([])
  })

  it('does not end sooner because the clock was set back', async () => {
    const where = place()
    const { run } = (await where.open()).enter('demo', 'demo/a')
    run.gather(['untrusted-input'])
    await run.kept()
    where.time.wallMs -= 86_400_000
    expect((await where.open()).enter('demo', 'demo/a').run.labels).toEqual(['untrusted-input'])
  })
})
