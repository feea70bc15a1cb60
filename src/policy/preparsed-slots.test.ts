import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LruMap } from './lru-map.ts'
import { PreparsedSlots } from './preparsed-slots.ts'

describe('a map that forgets', () => {
  it('keeps what was used last within its limit, and tells what it drops', () => {
    const dropped: string[] = []
    const map = new LruMap<string>(3, (value) => dropped.push(value))
    for (const key of ['a', 'b', 'c']) map.set(key, key)
    expect(map.get('a')).toBe('a')
    map.set('d', 'd')
    expect(dropped).toEqual(['b'])
    map.set('heavy', 'heavy', 3)
    expect(dropped).toEqual(['b', 'c', 'a', 'd'])
    map.set('too heavy', 'too heavy', 9)
    expect(map.get('too heavy')).toBe('too heavy')
    map.set('too heavy', 'again', 1)
    expect(dropped).toEqual(['b', 'c', 'a', 'd', 'heavy', 'too heavy'])
    expect([map.get('heavy'), map.get('too heavy')]).toEqual([undefined, 'again'])
  })
})

describe('preparsed slots', () => {
  /** Stands for Cedar's cache: what is under each name. */
  const pool = (limit: number) => {
    const cedar = new Map<string, string>()
    const slots = new PreparsedSlots<string>(
      'x/',
      limit,
      (name, content) => {
        if (content === 'bad') return { type: 'failure' }
        cedar.set(name, content)
        return { type: 'success' }
      },
      (name) => {
        cedar.set(name, 'empty')
        return { type: 'success' }
      },
    )
    return { cedar, slots }
  }

  it('always give a name under which the asked content is, and never use more names than the limit and one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 300 }), fc.integer({ min: 1, max: 10 }), (keys, limit) => {
        const { cedar, slots } = pool(limit)
        for (const key of keys)
          expect(cedar.get(slots.nameOf(`k${key}`, () => `content ${key}`))).toBe(`content ${key}`)
        expect(cedar.size).toBeLessThanOrEqual(limit + 1)
      }),
    )
  })

  it('parse once what stays in use', () => {
    const { slots } = pool(2)
    let parsed = 0
    const content = () => `content ${(parsed += 1)}`
    const name = slots.nameOf('a', content)
    slots.nameOf('b', content)
    expect(slots.nameOf('a', content)).toBe(name)
    expect(parsed).toBe(2)
  })

  it('keep nothing of what cannot be parsed', () => {
    const { cedar, slots } = pool(2)
    expect(() => slots.nameOf('a', () => 'bad')).toThrow('Cedar could not parse what it parsed before')
    expect(cedar.get(slots.nameOf('a', () => 'good'))).toBe('good')
  })
})
