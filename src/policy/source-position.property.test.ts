import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf16Offset } from './source-position.ts'

describe('a place in a text', () => {
  it('is the same from bytes as from UTF-16 units, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) => {
        fc.pre(before.isWellFormed() && after.isWellFormed())
        expect(utf16Offset(before + after, Buffer.byteLength(before))).toBe(before.length)
      }),
    )
  })
})
