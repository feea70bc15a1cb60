import { createSecretKey, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../kernel/index.ts'
import { openBody, sealBody, sealedOverheadBytes } from './sealed-body.ts'

const key = createSecretKey(randomBytes(32))

describe('sealed bodies', () => {
  it('open to the same text and commitment', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (body) => {
        const { sealed, commitment, bytes } = sealBody(key, randomBytes, 'record/input', body)
        expect(bytes).toBe(Buffer.byteLength(body))
        expect(sealed.length).toBe(bytes + sealedOverheadBytes)
        expect(openBody(key, 'record/input', sealed)).toEqual({ body, commitment })
      }),
    )
  })

  it('do not open with one changed bit, in another place or under another key', () => {
    const { sealed } = sealBody(key, randomBytes, 'record/input', '{"country":"CH"}')
    for (let position = 0; position < sealed.length; position++) {
      const changed = Buffer.from(sealed)
      changed[position] = (changed[position] ?? 0) ^ 1
      expect(openBody(key, 'record/input', changed)).toBeNull()
    }
    expect(openBody(key, 'record/output', sealed)).toBeNull()
    expect(openBody(createSecretKey(randomBytes(32)), 'record/input', sealed)).toBeNull()
    expect(openBody(key, 'record/input', sealed.subarray(0, sealedOverheadBytes - 1))).toBeNull()
  })

  it('commit to the same text differently each time, and never by its plain hash', () => {
    const [one, other] = [
      sealBody(key, randomBytes, 'a/input', '"yes"'),
      sealBody(key, randomBytes, 'a/input', '"yes"'),
    ]
    expect(one.commitment).not.toBe(other.commitment)
    expect(one.commitment).not.toBe(sha256('"yes"'))
    expect(Buffer.from(one.sealed).includes('yes')).toBe(false)
  })
})
