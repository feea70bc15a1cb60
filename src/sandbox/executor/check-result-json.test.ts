import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resultJson } from './check-result-json.ts'

describe('a result that hosted code sent', () => {
  test('is taken as the very text that it is, if it is JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 20 }), (text) => {
        expect(resultJson(Buffer.from(text))).toBe(text)
      }),
    )
  })

  test('is refused where it is no JSON or no UTF-8', () => {
    const texts = ['', '{', 'NaN', '{"a":undefined}', '1 2', "{'a':1}"]
    expect(texts.filter((text) => resultJson(Buffer.from(text)) !== null)).toEqual([])
    expect(resultJson(Buffer.from([0x22, 0xff, 0x22]))).toBeNull()
    expect(resultJson(Buffer.from([0xef, 0xbb, 0xbf, 0x31]))).toBeNull()
  })

  test('is refused with half of a surrogate pair, and taken with a whole one or with the text of an escape', () => {
    for (const text of ['"\\ud800"', '["\\\\\\uDFFF"]', '{"\\udc00":1}'])
      expect(resultJson(Buffer.from(text))).toBeNull()
    for (const text of ['"\\ud83d\\ude00"', '"\\\\ud800"', '"\\\\\\\\ud800"'])
      expect(resultJson(Buffer.from(text))).toBe(text)
  })

  test('is refused beyond 128 levels, and brackets in text are no levels', () => {
    const nested = (levels: number): Buffer => Buffer.from('['.repeat(levels) + ']'.repeat(levels))
    expect(resultJson(nested(128))).not.toBeNull()
    expect(resultJson(nested(129))).toBeNull()
    expect(resultJson(nested(1_000_000))).toBeNull()
    const text = JSON.stringify(`"\\${'['.repeat(1000)}`)
    expect(resultJson(Buffer.from(text))).toBe(text)
  })
})
