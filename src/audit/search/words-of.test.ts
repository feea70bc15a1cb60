import { describe, expect, it } from 'vitest'
import { growth, linearGrowth } from '../../../test/support/growth.ts'
import { wordsOf } from './words-of.ts'

describe('the words of a text', () => {
  it.each([
    ['Group may READ leads.', ['group', 'may', 'read', 'leads']],
    ['leads.cedar#analysts-search', ['leads', 'cedar', 'analysts', 'search']],
    ['ﬁle №5 naïve नमस्ते', ['file', 'no5', 'naïve', 'नमस्ते']],
    [
      'approval 0190F1D2-0000-7000-8000-00000000BEEF done',
      ['0190f1d2-0000-7000-8000-00000000beef', 'approval', 'done'],
    ],
    [`set sha256:${'a'.repeat(64)}`, [`sha256:${'a'.repeat(64)}`, 'set']],
    ['x'.repeat(100), ['x'.repeat(64)]],
    ['', []],
    [' \u202e\n-- ', []],
  ])('of %s', (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })

  it('take time in proportion to the text', () => {
    for (const piece of ['a', '0190f1d2-0000-', 'sha256:0', 'a ', '\u0301', 'ﷺ'])
      expect(growth(2000, (size) => void wordsOf(piece.repeat(size)))).toBeLessThan(linearGrowth)
  })
})
