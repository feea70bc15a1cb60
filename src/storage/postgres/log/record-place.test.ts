import { randomFillSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mostWriters, placedRecordId, placeOfRecordId } from './record-place.ts'

it('names writer and position in an id that is a UUID of version 7', () => {
  const writers = fc.integer({ min: 1, max: mostWriters })
  const positions = fc.integer({ min: 0, max: 2 ** 48 - 1 })
  fc.assert(
    fc.property(writers, positions, (writer, position) => {
      const id = placedRecordId(1_800_000_000_000, { writer, position }, randomFillSync)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(placeOfRecordId(id)).toEqual({ writer, position })
    }),
  )
})

it('finds no place in what is no record id', () => {
  expect(placeOfRecordId('01a1fda8-878a-480f-8001-000000000002')).toBeNull()
  expect(placeOfRecordId("' OR true --")).toBeNull()
})
