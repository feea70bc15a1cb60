import { expect, it } from 'vitest'
import { uuidv7 } from './uuid.ts'

it('carries the time, version 7 and the variant of RFC 9562', () => {
  const id = uuidv7(0x01_9a_bc_de_f0_12)
  expect(id).toMatch(/^019abcde-f012-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

it('sorts by time', () => {
  expect(uuidv7(1_700_000_000_000) < uuidv7(1_700_000_000_001)).toBe(true)
})

it('does not repeat within a millisecond', () => {
  expect(new Set(Array.from({ length: 1000 }, () => uuidv7(1))).size).toBe(1000)
})
