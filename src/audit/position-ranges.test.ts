import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PositionRanges } from './position-ranges.ts'

it('holds exactly the positions that were added, in whatever order, in as few ranges as there can be', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(6)).map(([from, more]) => [from, from + more] as const)
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (added) => {
      const ranges = new PositionRanges()
      const positions = new Set<number>()
      for (const [from, to] of added) {
        ranges.add(from, to)
        for (let position = from; position <= to; position += 1) positions.add(position)
      }
      for (let position = 0; position < 70; position += 1) expect(ranges.has(position)).toBe(positions.has(position))
      const { list } = ranges
      expect(list.every(([from], at) => at === 0 || from > (list[at - 1]?.[1] ?? 0) + 1)).toBe(true)
    }),
  )
})

it('tells which of its positions another set has not', () => {
  const range = fc.tuple(fc.nat(60), fc.nat(6)).map(([from, more]) => [from, from + more] as const)
  const someRanges = fc.array(range, { maxLength: 12 })
  fc.assert(
    fc.property(someRanges, someRanges, (ones, others) => {
      const [set, other] = [new PositionRanges(), new PositionRanges()]
      for (const [from, to] of ones) set.add(from, to)
      for (const [from, to] of others) other.add(from, to)
      const left = new PositionRanges()
      for (const [from, to] of set.without(other)) left.add(from, to)
      for (let position = 0; position < 70; position += 1)
        expect(left.has(position)).toBe(set.has(position) && !other.has(position))
    }),
  )
})
