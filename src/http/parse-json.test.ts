import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verifies } from '../../test/conformance/requirements.ts'
import { parseJson } from './parse-json.ts'

const parse = (text: string, depth = 64): ReturnType<typeof parseJson> => parseJson(Buffer.from(text), depth)

describe('parseJson', () => {
  it('reads what JSON.parse reads, for every value whose members differ', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        if (text.includes('__proto__') || !JSON.stringify(JSON.parse(text)).isWellFormed() || /\\ud[89a-f]/i.test(text))
          return
        expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) })
      }),
    )
  })

  it('counts colons, braces and quotes inside strings as text', () => {
    const value = { 'a:b"{[': '\\":{"}]\\\\', c: ['":', '\\\\"'] }
    expect(parse(JSON.stringify(value))).toEqual({ ok: true, value })
  })

  it.each([
    ['the same member twice', '{"a":1,"b":{"c":1,"c":2}}', 'an object has the same member twice'],
    ['the same member spelled in two ways', String.raw`{"a":1,"\u0061":2}`, 'an object has the same member twice'],
    ['the same empty member twice', '{"":1,"":2}', 'an object has the same member twice'],
    ['__proto__', '{"x":{"__proto__":{"admin":true}}}', 'a member is named __proto__'],
    ['__proto__ in escapes', String.raw`{"\u005f_proto__":1}`, 'a member is named __proto__'],
    ['half of a surrogate pair', String.raw`{"a":"\ud800"}`, 'a string holds half of a surrogate pair'],
    ['half of a surrogate pair in a name', String.raw`{"\udc00":1}`, 'a member name holds half of a surrogate pair'],
    ['an unfinished object', '{"a":1', 'the body is not JSON'],
    ['an unfinished string', '{"a":"', 'the body is not JSON'],
    ['a byte order mark', '\ufeff{}', 'the body is not JSON'],
    ['two values', '{}{}', 'the body is not JSON'],
    ['nothing', '', 'the body is empty'],
  ])(verifies('strict-json', 'refuses %s'), (_what, text, message) => {
    expect(parse(text)).toEqual({ ok: false, message })
  })

  it(verifies('strict-json', 'refuses bytes that are not UTF-8'), () => {
    expect(parseJson(Buffer.from([0x22, 0xff, 0x22]), 64)).toEqual({ ok: false, message: 'the body is not UTF-8' })
  })

  it(
    verifies('strict-json', 'takes nesting up to the limit and refuses one more, also where the text is no JSON'),
    () => {
      expect(parse('['.repeat(8) + ']'.repeat(8), 8).ok).toBe(true)
      expect(parse('['.repeat(9) + ']'.repeat(9), 8)).toEqual({
        ok: false,
        message: 'arrays and objects are nested deeper than 8',
      })
      expect(parse('{"a":'.repeat(500_000), 64)).toEqual({
        ok: false,
        message: 'arrays and objects are nested deeper than 64',
      })
    },
  )

  it('reads a member that is an escape of another name as that name', () => {
    expect(parse(String.raw`{"\u0061":"\u00e9\ud83d\ude00"}`)).toEqual({ ok: true, value: { a: 'é😀' } })
  })
})
