import { describe, expect, it } from 'vitest'

describe('a suite', () => {
  it.skip('is not run', () => { // expect: vitest(no-disabled-tests)
    expect(1).toBe(1)
  })
  it.only('hides the others', () => { // expect: vitest(no-focused-tests)
    expect(1).toBe(1)
  })
  it.skipIf(process.getuid?.() !== 0)('is left out for most people', () => { // expect: mcpworks(no-conditional-test)
    expect(1).toBe(1)
  })
  it('asserts nothing', () => {}) // expect: vitest(expect-expect)
})
