import { expect, it } from 'vitest'
import type { RecordQuery, StoredRecord } from '../../audit/index.ts'
import { openRetentionClock } from './open-retention-clock.ts'

const hour = 3_600_000
const day = 24 * hour
const began = Date.UTC(2026, 0, 10)

/** A machine whose two clocks the test moves, and what outlives a start. */
function machine(newestRecordMs: number | null = began) {
  const now = { wallMs: began, monotonicMs: 0 }
  const kept = { timeMs: null as number | null }
  const newest = newestRecordMs === null ? [] : [{ timeMs: newestRecordMs } as StoredRecord]
  const store = {
    find: async () => kept.timeMs,
    keep: async (timeMs: number) => void (kept.timeMs = timeMs),
  }
  const clock = { nowMs: () => now.wallMs, monotonicMs: () => now.monotonicMs }
  const decisionLog = { read: async (query: RecordQuery) => (query.kinds?.includes('abandoned') ? [] : newest) }
  const pass = (ms: number) => {
    now.wallMs += ms
    now.monotonicMs += ms
  }
  return { now, kept, pass, start: () => openRetentionClock({ store, decisionLog, clock, jumpDays: 14 }) }
}

it('goes with the clock while time passes, and where the clock is set a little', async () => {
  const { now, pass, start } = machine()
  const clock = await start()
  pass(400 * day)
  expect(await clock.look()).toEqual({ timeMs: began + 400 * day, state: 'sure', aheadMs: 0 })
  now.wallMs += hour
  expect(await clock.look()).toMatchObject({ timeMs: began + 400 * day + hour, state: 'sure' })
})

it('does not believe a clock that is set years ahead, and goes on with the time that passes', async () => {
  const { now, pass, start } = machine()
  const clock = await start()
  now.wallMs += 3650 * day
  expect(await clock.look()).toEqual({ timeMs: began, state: 'refused', aheadMs: 3650 * day })
  pass(2 * hour)
  expect(await clock.look()).toMatchObject({ timeMs: began + 2 * hour, state: 'refused' })
  now.wallMs -= 3650 * day
  expect(await clock.look()).toEqual({ timeMs: began + 2 * hour, state: 'sure', aheadMs: 0 })
})

it('does not believe it after a restart either, nor after many', async () => {
  const { now, pass, start } = machine()
  await start()
  now.wallMs += 3650 * day
  for (let starts = 0; starts < 5; starts += 1) {
    pass(hour)
    now.monotonicMs = 0
    expect(await (await start()).look()).toMatchObject({ timeMs: began, state: 'refused' })
  }
})

it('catches up with the days for which the server was off, a day in an hour and no further than the clock', async () => {
  const { now, pass, start } = machine()
  await start()
  now.wallMs += 10 * day
  const clock = await start()
  expect(await clock.look()).toMatchObject({ timeMs: began, state: 'catching-up', aheadMs: 10 * day })
  pass(hour)
  expect(await clock.look()).toMatchObject({ timeMs: began + day, state: 'catching-up' })
  pass(12 * hour)
  expect(await clock.look()).toMatchObject({ timeMs: now.wallMs, aheadMs: 0 })
})

it('begins at the newest record where it was never counted, and at the clock where there is none', async () => {
  const old = machine(began - 30 * day)
  expect(await (await old.start()).look()).toMatchObject({ timeMs: began - 30 * day, state: 'refused' })
  expect(await (await machine(null).start()).look()).toMatchObject({ timeMs: began, state: 'sure' })
})

it('is never beyond a clock that is set back, and keeps what it counted', async () => {
  const { now, kept, pass, start } = machine()
  const clock = await start()
  pass(5 * day)
  await clock.look()
  now.wallMs -= 3 * day
  expect(await clock.look()).toMatchObject({ timeMs: began + 2 * day, state: 'sure' })
  expect(kept.timeMs).toBe(began + 5 * day)
})

it('does not believe a clock that is set ahead again each time that it was caught up with', async () => {
  const { now, pass, start } = machine()
  const clock = await start()
  for (const leadMs of [10 * day, hour]) {
    const states = new Set<string>()
    const before = (await clock.look()).timeMs
    for (let rounds = 0; rounds < 4 * 24 * 10; rounds += 1) {
      const { timeMs, state } = await clock.look()
      states.add(state)
      now.wallMs = Math.max(now.wallMs, timeMs + leadMs)
      pass(hour / 4)
    }
    expect(states).toContain('refused')
    // Ten days passed. Fourteen more are believed, and twice the time that passes.
    expect((await clock.look()).timeMs - before).toBeLessThan((10 + 14 + 20) * day + hour)
  }
})

it('goes with the clock of a machine that sleeps for most of each day', async () => {
  const { now, pass, start } = machine()
  const clock = await start()
  for (let days = 0; days < 100; days += 1) {
    now.wallMs += 15 * hour
    for (let looks = 0; looks < 36; looks += 1) {
      pass(hour / 4)
      expect(await clock.look()).not.toMatchObject({ state: 'refused' })
    }
    expect(await clock.look()).toMatchObject({ timeMs: now.wallMs, state: 'sure' })
  }
})
