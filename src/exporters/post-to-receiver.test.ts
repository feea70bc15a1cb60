import { expect, it } from 'vitest'
import { readRetryAfter } from './post-to-receiver.ts'

it.each([
  ['120', 120_000],
  ['0', 0],
  ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
  ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
  ['-1', 0],
  ['soon', 0],
  ['2027', 2_027_000],
  ['99999999999999999999', 0],
  ['Fri, 99 Jan 2026 03:04:15 GMT', 0],
  [undefined, 0],
])('reads of Retry-After %j how long to wait: %i ms', (text, expected) => {
  expect(readRetryAfter(text, Date.parse('2026-01-02T03:04:05Z'))).toBe(expected)
})
