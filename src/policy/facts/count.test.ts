import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../kernel/index.ts'
import { count } from './count.ts'

const counted = (of: string, ...values: JsonValue[]): unknown => {
  const extracted = count.extract(
    values.map((value, index) => ({ argument: `a${index}`, value })),
    { of },
  )
  return extracted.ok ? extracted.value : `${extracted.argument} ${extracted.problem}`
}

describe('count', () => {
  it.each<[string, JsonValue[], unknown]>([
    ['items', [[]], 0],
    ['items', [['a', 'a', 1, null]], 4],
    ['items', [['a'], ['b', 'c']], 3],
    ['items', ['abc'], 'a0 is no list'],
    ['items', [['a'], { length: 3 }], 'a1 is no list'],
    ['bytes', ['é€😀'], 9],
    ['bytes', [['a', 'bc'], 'd'], 4],
    ['bytes', [['a', 1]], 'a0 is not text or a list of text'],
    ['bytes', [12], 'a0 is not text or a list of text'],
    ['characters', ['é€😀'], 3],
    ['characters', [['ab', '']], 2],
    ['characters', [null], 'a0 is not text or a list of text'],
  ])('%s of %j', (of, values, expected) => {
    expect(counted(of, ...values)).toBe(expected)
  })

  it('counts what repeats, as a Cedar set would not', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue() as fc.Arbitrary<JsonValue>), (items) => {
        expect(counted('items', items, items)).toBe(2 * items.length)
      }),
    )
  })

  it('agrees with other ways to measure text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(counted('bytes', text)).toBe(new TextEncoder().encode(text).length)
        expect(counted('characters', text)).toBe(Array.from(text).length)
      }),
    )
  })
})
