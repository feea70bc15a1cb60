import { expect, it } from 'vitest'
import { createAdvancingClock } from './advancing-clock.ts'

it('follows the wall clock forward, and goes on at the monotonic pace where that is set back', () => {
  const time = { wall: 1_000_000, monotonic: 0 }
  const clock = createAdvancingClock({ nowMs: () => time.wall, monotonicMs: () => time.monotonic })
  time.wall += 10
  time.monotonic += 10
  expect(clock.nowMs()).toBe(1_000_010)
  time.wall = 0
  time.monotonic += 5
  expect(clock.nowMs()).toBe(1_000_015)
  time.wall = 2_000_000
  expect(clock.nowMs()).toBe(2_000_000)
})

it('begins no earlier than it is told', () => {
  expect(createAdvancingClock({ nowMs: () => 5, monotonicMs: () => 0 }, 100).nowMs()).toBe(100)
})
