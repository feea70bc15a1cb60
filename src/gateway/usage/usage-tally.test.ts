import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { UsageTally } from './usage-tally.ts'

const noon = Date.UTC(2026, 10, 21, 12)
const one = { calls: 1, bytesOut: 0, spend: 0 }

describe('a tally of use', () => {
  it('counts a call towards the minute for the sixty seconds after the one that it began in', () => {
    const tally = new UsageTally()
    tally.add(noon + 999, one)
    expect(tally.figuresAt(noon + 60_999).callsMinute).toBe(1)
    expect(tally.figuresAt(noon + 61_000).callsMinute).toBe(0)
    expect(tally.releasesAfter(noon)).toEqual([noon + 61_000])
  })

  it('begins anew with the day in UTC, and keeps the minute over midnight', () => {
    const midnight = Date.UTC(2026, 10, 22)
    const tally = new UsageTally()
    tally.add(midnight - 1, { calls: 1, bytesOut: 5, spend: 7 })
    expect(tally.figuresAt(midnight - 1)).toEqual({ callsMinute: 1, callsDay: 1, bytesOutDay: 5, spendDay: 7 })
    expect(tally.figuresAt(midnight)).toEqual({ callsMinute: 1, callsDay: 0, bytesOutDay: 0, spendDay: 0 })
    tally.add(midnight, one)
    expect(tally.figuresAt(midnight)).toMatchObject({ callsMinute: 2, callsDay: 1, bytesOutDay: 0 })
  })

  it('does not count for today what belongs to yesterday, nor take it from today', () => {
    const midnight = Date.UTC(2026, 10, 22)
    const tally = new UsageTally()
    tally.add(midnight - 1, one)
    tally.add(midnight, one)
    tally.add(midnight - 1, one)
    tally.takeBack(midnight - 1, one)
    expect(tally.figuresAt(midnight)).toMatchObject({ callsMinute: 2, callsDay: 1 })
  })

  it('never goes beyond what a policy can add to', () => {
    const tally = new UsageTally()
    for (let more = 0; more < 3; more++) tally.add(noon, { calls: 1, bytesOut: 0, spend: Number.MAX_SAFE_INTEGER })
    expect(tally.figuresAt(noon).spendDay).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('is in every minute what counting one by one gives, rounded up to whole seconds, and holds 62 entries at most', () => {
    const moments = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 300 })
    fc.assert(
      fc.property(moments, (offsets) => {
        const tally = new UsageTally()
        const calls = offsets.map((offset) => noon + offset).sort((left, right) => left - right)
        for (const [position, call] of calls.entries()) {
          tally.add(call, one)
          const seen = calls.slice(0, position + 1)
          const { callsMinute } = tally.figuresAt(call)
          expect(callsMinute).toBeGreaterThanOrEqual(seen.filter((other) => other > call - 60_000).length)
          expect(callsMinute).toBeLessThanOrEqual(seen.filter((other) => other > call - 61_000).length)
          expect(tally.stateAt(call).minute.length).toBeLessThanOrEqual(62)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('is the same after it was kept', () => {
    const tally = new UsageTally()
    tally.add(noon, { calls: 2, bytesOut: 3, spend: 4 })
    tally.add(noon + 30_000, one)
    const kept = new UsageTally(tally.stateAt(noon + 59_000))
    for (const at of [59_000, 61_000, 91_000]) expect(kept.figuresAt(noon + at)).toEqual(tally.figuresAt(noon + at))
  })
})
