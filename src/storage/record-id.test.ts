import { randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordId, seqOfRecordId } from './record-id.ts'

describe('recordId', () => {
  it('is a UUID version 7 that holds time and place', () => {
    fc.assert(
      fc.property(fc.nat(4_000_000_000_000), fc.nat(2 ** 48 - 1), (timeMs, seq) => {
        const id = recordId(timeMs, seq, randomFillSync)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(timeMs)
        expect(seqOfRecordId(id)).toBe(seq)
      }),
    )
  })

  it.each(['', 'unknown', '0190a5d2-7f3b-4c1e-9a2b-000000000001', "0190a5d2-7f3b-7c1e-9a2b-00000000000'"])(
    'does not take "%s" for an id',
    (text) => {
      expect(seqOfRecordId(text)).toBe(-1)
    },
  )
})
