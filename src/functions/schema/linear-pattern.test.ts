import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from './linear-pattern.ts'

function test(source: string, text: string): boolean {
  const compiled = compilePattern(source)
  if (!compiled.ok) throw new Error(compiled.message)
  return compiled.pattern.test(text, () => {})
}

describe('compilePattern', () => {
  it.each([
    ['^[A-Z]{2}-\\d{3,5}$', ['DE-123', 'DE-12345', 'DE-123456', 'de-123', 'xDE-123']],
    ['(?:ab|c)*d', ['d', 'ababcd', 'abab', 'xxd']],
    ['^(a|b|)+$', ['', 'abba', 'abc']],
    ['\\bcat\\b', ['a cat sat', 'concat', 'cat']],
    ['^\\p{L}+$', ['Müller', 'Müller1', '']],
    ['^.$', ['😀', 'ab', '\n']],
    ['^\\u{1F600}|\\ud83d\\ude01$', ['😀', '😁', 'x']],
    ['^(?<year>\\d{4})-(0[1-9]|1[0-2])$', ['2026-11', '2026-13']],
    ['[\\]\\-x]', [']', '-', 'x', 'a']],
    ['a{0}b', ['b', 'ab', 'a']],
    ['x*?y+?', ['xxyy', 'xx']],
    ['', ['', 'a']],
    ['a|^b|c$', ['zza', 'b', 'xb', 'cx', 'xc']],
  ])('answers as RegExp does for %s', (source, texts) => {
    for (const text of texts) expect([text, test(source, text)]).toEqual([text, new RegExp(source, 'u').test(text)])
  })

  it('answers as RegExp does for patterns and texts that nobody thought of', () => {
    const leaf = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '\\d', 'é', '\\u0061')
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
        fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
        fc
          .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}', '*?'))
          .map(([a, q]) => `(?:${a})${q}`),
      ),
    }))
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '1', 'é', '\n'), maxLength: 8 })
    const agrees = fc.property(pattern, text, (source, value) => {
      expect(test(source, value)).toBe(new RegExp(source, 'u').test(value))
    })
    fc.assert(agrees, { numRuns: 2000 })
  })

  it('takes steps in proportion to the text where a backtracking matcher takes years', () => {
    const compiled = compilePattern('^(a+)+$')
    if (!compiled.ok) throw new Error(compiled.message)
    const steps = (length: number): number => {
      let total = 0
      expect(compiled.pattern.test(`${'a'.repeat(length)}!`, (count) => (total += count))).toBe(false)
      return total
    }
    expect(steps(20_000) / steps(2_000)).toBeLessThan(11)
  })

  it('stops when the budget of steps is spent', () => {
    const compiled = compilePattern('^(a|b)*$')
    if (!compiled.ok) throw new Error(compiled.message)
    let budget = 1000
    expect(() =>
      compiled.pattern.test('a'.repeat(100_000), (count) => {
        budget -= count
        if (budget < 0) throw new RangeError('spent')
      }),
    ).toThrow('spent')
  })

  it.each([
    ['(', 'is not a valid regular expression'],
    ['(a)\\1', 'back reference'],
    ['(?<n>a)\\k<n>', 'back reference'],
    ['a(?=b)', 'look-around'],
    ['(?<!a)b', 'look-around'],
    ['(a{100}){100}', 'too large'],
    ['((?:){1000}){1000000}', 'too large'],
    [`${'('.repeat(60)}${')'.repeat(60)}`, 'nested too deeply'],
  ])('refuses %s and says why', (source, why) => {
    expect(compilePattern(source)).toEqual({ ok: false, message: expect.stringContaining(why) })
  })
})
