import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonDepth } from '../protocol/json-depth.ts'
import { resultJson } from './check-result-json.ts'

/** The same by a parser that builds all values: what the walk over the bytes is compared with. */
function byParsing(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (jsonDepth(bytes) > 128) return null
    let isFit = true
    const value: unknown = JSON.parse(text, (key, each: unknown) => {
      isFit &&= key.isWellFormed() && (typeof each !== 'string' || each.isWellFormed())
      isFit &&= typeof each !== 'number' || Number.isFinite(each)
      return each
    })
    // A member that is there twice is seen once by the parser.
    return isFit && (value !== undefined || text === '') ? text : null
  } catch {
    return null
  }
}

/** JSON with one byte changed, taken out or put in, where it is likely to matter. */
const damaged = fc
  .tuple(
    fc.oneof(
      fc.json({ maxDepth: 5 }),
      fc.array(fc.oneof(fc.double(), fc.constantFrom(1e300, -0, 5e-324))).map((each) => JSON.stringify(each)),
      fc
        .string({ unit: fc.constantFrom('\\', '"', 'u', 'd', '8', 'D', 'c', '0', 'n', 'é') })
        .map((text) => `"${text}"`),
      fc.string({ unit: fc.constantFrom(...'[]{},:"0123eE+-. \t1'.split('')) }),
    ),
    fc.nat(),
    fc.constantFrom(0, 1),
    fc.oneof(fc.constantFrom(...Buffer.from('[]{},:"0e+-.\\ tfn')), fc.nat(255)),
    fc.constantFrom(0, 1),
  )
  .map(([text, place, cut, byte, put]) => {
    const bytes = Buffer.from(text)
    const at = place % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(put, byte), bytes.subarray(at + cut)])
  })

describe('a result that hosted code sent', () => {
  test('is taken where a parser takes it, and refused where it does not', () => {
    let taken = 0
    const numRuns = Number(process.env['FUZZ_RUNS'] ?? 20_000)
    fc.assert(
      fc.property(damaged, (bytes) => {
        const answer = resultJson(bytes)
        expect(answer).toBe(byParsing(bytes))
        if (answer !== null) taken += 1
      }),
      { numRuns },
    )
    expect(taken).toBeGreaterThan(numRuns / 20)
  })

  test('is looked at in far less time than a parser takes to build what it is made of', () => {
    const hostile = Buffer.from(`[${'{"a":{}},'.repeat(40_000)}1e100]`)
    // The quickest of some: whatever else the machine did meanwhile only adds.
    const time = (check: (bytes: Uint8Array) => string | null): number =>
      Math.min(
        ...Array.from({ length: 5 }, () => {
          const began = performance.now()
          expect(check(hostile)).not.toBeNull()
          return performance.now() - began
        }),
      )
    expect(time(resultJson)).toBeLessThan(time(byParsing) / 2)
  })

  test('is refused with a number that a reader takes for infinity', () => {
    for (const text of ['1e999', '[-1E+400]', '9'.repeat(310), '{"a":1e309}'])
      expect(resultJson(Buffer.from(text))).toBeNull()
    for (const text of ['1e308', '9'.repeat(308), '1e-999', `0.${'1'.repeat(400)}`, `${'1'.repeat(400)}e-300`])
      expect(resultJson(Buffer.from(text))).toBe(text)
  })

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
