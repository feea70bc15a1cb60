import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../kernel/index.ts'
import { argumentFault } from './argument-guard.ts'
import { argumentType } from './argument-type.ts'
import { encodeArguments } from './encode-arguments.ts'

const schema: JsonObject = {
  type: 'object',
  properties: {
    s: { type: 'string' },
    b: { type: 'boolean' },
    i: { type: 'integer' },
    n: { type: 'number' },
    list: { type: 'array', items: { type: 'number' } },
    o: { type: 'object', properties: { x: { type: 'integer' }, y: { type: ['string', 'null'] } }, required: ['x'] },
    __proto__: { type: 'string' },
  },
}
Object.defineProperty(schema.properties, '__proto__', { value: { type: 'string' }, enumerable: true })
const { type } = argumentType(schema)
const nothing = null
const everything = { whole: true, members: new Map() }
const reading = (name: string) => ({ whole: false, members: new Map([[name, everything]]) })
const decimal = (arg: string) => ({ __extn: { fn: 'decimal', arg } })

describe('turning arguments into Cedar values', () => {
  it('keeps strings, booleans and integers, and writes numbers as decimals', () => {
    expect(
      encodeArguments(
        { s: 'x', b: false, i: -3, n: 1.25, list: [1, -0.5], o: { x: 1, y: null, z: 2 }, more: 1 },
        type,
        everything,
      ),
    ).toEqual({
      ok: true,
      value: {
        s: 'x',
        b: false,
        i: -3,
        n: decimal('1.2500'),
        list: [decimal('1.0000'), decimal('-0.5000')],
        o: { x: 1 },
      },
    })
  })

  it('writes no negative zero', () => {
    expect(encodeArguments({ i: -0, n: -0 }, type, everything)).toEqual({
      ok: true,
      value: { i: 0, n: decimal('0.0000') },
    })
    const encoded = encodeArguments({ i: -0 }, type, everything)
    expect(encoded.ok && Object.is(encoded.value.i, 0)).toBe(true)
  })

  it.each<[JsonObject, string]>([
    [{ s: 1 }, 's'],
    [{ b: 'true' }, 'b'],
    [{ i: 1.5 }, 'i'],
    [{ n: '1' }, 'n'],
    [{ list: 1 }, 'list'],
    [{ list: [1, null] }, 'list'],
    [{ o: [] }, 'o'],
    [{ o: { y: 'x' } }, 'o'],
    [{ o: { x: null } }, 'o'],
  ])("refuses %j, which the tool's schema would not let through", (args, name) => {
    expect(encodeArguments(args, type, everything)).toEqual({
      ok: false,
      fault: `The argument "${name}" does not fit the type that the tool declares.`,
    })
  })

  it('rounds what a decimal cannot hold only where no policy reads it', () => {
    for (const value of [0.00001, 1e15, -1e300, 922_337_203_685_477.6, 1 / 3]) {
      expect(encodeArguments({ n: value }, type, reading('n')).ok).toBe(false)
      expect(encodeArguments({ list: [value] }, type, reading('list')).ok).toBe(false)
      expect(encodeArguments({ n: value }, type, everything).ok).toBe(false)
      expect(encodeArguments({ n: value }, type, nothing).ok).toBe(true)
    }
    expect(encodeArguments({ n: 1e15 }, type, nothing)).toEqual({
      ok: true,
      value: { n: decimal('922337203685477.5807') },
    })
    expect(encodeArguments({ n: -1e15 }, type, nothing)).toEqual({
      ok: true,
      value: { n: decimal('-922337203685477.5807') },
    })
    expect(encodeArguments({ n: -0.00001 }, type, nothing)).toEqual({ ok: true, value: { n: decimal('-0.0000') } })
  })
})

describe('the guard of arguments', () => {
  it('lets through any JSON without reserved keys that is not too deep', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(argumentFault(value as JsonObject)).toBeNull()
      }),
    )
  })

  it('stops at the depth limit, not after it', () => {
    const nested = (levels: number): JsonObject => (levels === 1 ? {} : { in: nested(levels - 1) })
    expect(argumentFault(nested(32))).toBeNull()
    expect(argumentFault(nested(33))).toBe('The arguments nest more than 32 deep.')
  })

  it('finds a reserved key wherever it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('__entity', '__extn', '__expr'),
        fc.array(fc.boolean(), { maxLength: 20 }),
        (key, path) => {
          const hidden = path.reduce<JsonObject>((inner, list) => ({ a: 1, b: list ? [0, inner] : inner }), {
            [key]: 1,
          })
          expect(argumentFault(hidden)).toBe(`The arguments hold the key "${key}", which is reserved.`)
        },
      ),
    )
  })
})
