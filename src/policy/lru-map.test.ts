import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LruMap } from './lru-map.ts'

describe('a map that forgets', () => {
  it('forgets what was used longest ago, as a list of everything ever used says', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      weight: fc.option(fc.integer({ min: 1, max: 12 })),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const evicted: number[] = []
        const map = new LruMap<number>(10, (value) => evicted.push(value))
        let model: { key: string; value: number; weight: number }[] = []
        const gone: number[] = []
        steps.forEach(({ key, weight }, value) => {
          const known = model.find((entry) => entry.key === key)
          if (weight === null) {
            expect(map.get(key)).toBe(known?.value)
            if (known !== undefined) model = [...model.filter((entry) => entry !== known), known]
            return
          }
          map.set(key, value, weight)
          if (known !== undefined) gone.push(known.value)
          model = [...model.filter((entry) => entry !== known), { key, value, weight }]
          while (model.length > 1 && model.reduce((sum, entry) => sum + entry.weight, 0) > 10)
            gone.push(model.shift()?.value ?? -1)
        })
        expect(evicted).toEqual(gone)
        for (const { key, value } of model) expect(map.get(key)).toBe(value)
      }),
      { numRuns: 300 },
    )
  })
})
