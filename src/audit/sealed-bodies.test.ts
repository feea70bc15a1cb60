import { createHash, createSecretKey, randomBytes, randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../kernel/index.ts'
import { bodyParts, openBodies, sealBodies, sealedBytes, type BodyPart } from './sealed-bodies.ts'

const key = createSecretKey(randomBytes(32))
const text = fc.string({ unit: 'grapheme' })
const bodies = fc.uniqueArray(fc.tuple(fc.constantFrom(...bodyParts), text), { selector: ([part]) => part })

function sealed(body: string, part: BodyPart = 'input') {
  return sealBodies(key, randomFillSync, 'record', new Map([[part, body]]))
}

describe('sealed bodies', () => {
  it('open to the same texts, with the commitments and lengths that the record is given', () => {
    fc.assert(
      fc.property(bodies, (given) => {
        const box = sealBodies(key, randomFillSync, 'record', new Map(given))
        const opened = openBodies(key, 'record', box.sealed) ?? []
        expect(opened.map(({ part, body }) => [part, body])).toEqual(given)
        for (const { part, body, bytes, commitment, salt } of opened) {
          expect(bytes).toBe(Buffer.byteLength(body))
          const committed = createHash('sha256').update(Buffer.from(salt, 'hex')).update(body).digest('hex')
          expect(commitment).toBe(`sha256:${committed}`)
          expect(box.references.get(part)).toEqual({ bytes, commitment })
        }
        expect(box.sealed.length).toBe(sealedBytes(opened.map(({ bytes }) => bytes)))
      }),
    )
  })

  it('do not open with one changed bit, beside another record or under another key', () => {
    const box = sealed('{"country":"CH"}').sealed
    for (let position = 0; position < box.length; position++) {
      const changed = Buffer.from(box)
      changed[position] = (changed[position] ?? 0) ^ 1
      expect(openBodies(key, 'record', changed)).toBeNull()
    }
    expect(openBodies(key, 'another', box)).toBeNull()
    expect(openBodies(createSecretKey(randomBytes(32)), 'record', box)).toBeNull()
    expect(openBodies(key, 'record', box.subarray(0, 27))).toBeNull()
    expect(openBodies(key, 'record', box.subarray(0, 40))).toBeNull()
  })

  it('commit to the same text differently each time, and never by its plain hash', () => {
    const [one, other] = [sealed('"yes"'), sealed('"yes"')]
    expect(one.references.get('input')?.commitment).not.toBe(other.references.get('input')?.commitment)
    expect(one.references.get('input')?.commitment).not.toBe(sha256('"yes"'))
    expect(Buffer.from(one.sealed).includes('yes')).toBe(false)
  })
})
