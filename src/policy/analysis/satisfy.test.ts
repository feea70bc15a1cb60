import { describe, expect, it } from 'vitest'
import type { Formula } from './formula.ts'
import { canHold, isSpent, satisfy } from './satisfy.ts'

const is = (path: string, holds: boolean): Formula => ({ kind: 'atom', atom: { kind: 'true', path }, holds })
const either = (path: string): Formula => ({ kind: 'or', parts: [is(`${path}.a`, true), is(`${path}.b`, true)] })
const choices = (count: number): Formula[] => Array.from({ length: count }, (_, n) => either(`c${n}`))

describe('a search for what makes conditions true', () => {
  it('stops where it went through too much, however few choices it looked into', () => {
    const budget = { left: 1_000_000, work: { left: 100_000 } }
    expect(canHold(choices(900), budget)).toBe('unknown')
    expect(budget.left).toBeGreaterThan(999_000)
    expect(isSpent(budget)).toBe(true)
    // The control: the same with more to spend.
    expect(canHold(choices(900), { left: 1_000_000, work: { left: 100_000_000 } })).toBe('yes')
  })

  it('stops before choices in choices exhaust the stack', () => {
    const budget = { left: 1_000_000, work: { left: 10_000_000_000 } }
    expect(canHold(choices(1_500), budget)).toBe('unknown')
    expect(canHold([...choices(100), is('c', true), is('c', false)], budget)).toBe('no')
  })

  it('offers every way once where it can afford to', () => {
    const budget = { left: 1_000, work: { left: 100_000 } }
    expect(satisfy(choices(3), budget, () => false)).toEqual({ complete: true, offered: 8 })
  })
})
