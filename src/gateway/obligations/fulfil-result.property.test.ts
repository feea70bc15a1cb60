import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { fulfilResult } from './fulfil-result.ts'
import { Unfulfillable } from './unfulfillable.ts'

/** No other value has a Q in it, nor is a name of the field in any other name. */
const secret = 'QQ-4711-QQ'
const plain = fc.constantFrom('Ann', 'a note', 7, 4.5, true, null, '', 'x\ny')
const plainName = fc.constantFrom('id', 'note', 'rows', 'lead', '__proto__', 'a b')
const secretName = fc.constantFrom(
  'iban',
  'IBAN',
  'i-ban',
  'customer_iban',
  'ibanOfOwner',
  'ｉｂａｎ',
  'ib\u200ban',
  'ibán',
)

/** A copy of the secret as a value under its name, or anywhere else where it stands in the clear. */
const planted: fc.Arbitrary<JsonValue> = fc.constantFrom<JsonValue[]>(
  secret,
  secret.toLowerCase(),
  `see ${secret}!`,
  'q\u200bq 4711 qq',
  { [secret]: 1 },
  JSON.stringify({ deep: [secret] }),
)

const { value } = fc.letrec<{ value: JsonValue; member: [string, JsonValue] }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    plain,
    planted,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('member'), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
    tie('value').map((inner) => JSON.stringify(inner)),
  ),
  member: fc.oneof(fc.tuple(plainName, tie('value')), fc.tuple(secretName, tie('value'))),
}))

const results: fc.Arbitrary<JsonObject> = fc.record({
  content: fc.array(value.map((one): JsonObject => ({ type: 'text', text: JSON.stringify(one) }))),
  // The field stands somewhere with the whole secret, or nobody could know that it is one.
  structuredContent: value.map((one): JsonObject => ({ data: one, iban: secret })),
})

/** Everything readable in a value, strings that are JSON opened. */
function readable(left: JsonValue): string {
  if (typeof left === 'string') {
    try {
      const inner = JSON.parse(left) as JsonValue
      return typeof inner === 'string' || typeof inner === 'object' ? readable(inner) : left
    } catch {
      return left
    }
  }
  if (Array.isArray(left)) return left.map(readable).join('\n')
  if (isJsonObject(left))
    return Object.entries(left)
      .flatMap(([name, member]) => [name, readable(member)])
      .join('\n')
  return String(left)
}

const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}\n]/gu, '')
    .toLowerCase()

describe('a redacted result', () => {
  it('holds the value of the field nowhere in the clear, or is withheld', () => {
    fc.assert(
      fc.property(results, (result) => {
        const duties = { redact: ['iban'], limitRows: null, notify: [], profile: null, record: null }
        try {
          const left = fulfilResult('call', result, duties, () => true).result
          expect(folded(readable(left))).not.toContain('qq4711qq')
        } catch (error) {
          if (!(error instanceof Unfulfillable)) throw error
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Elements of lists that are objects or lists, and elements of the outermost lists, strings that are JSON opened. */
function rowsIn(left: JsonValue, inRow: boolean): number {
  if (typeof left === 'string' && /^\s*[{["]/.test(left)) {
    try {
      return rowsIn(JSON.parse(left) as JsonValue, inRow)
    } catch {
      return 0
    }
  }
  if (Array.isArray(left)) {
    const own = left.filter((element) => !inRow || (typeof element === 'object' && element !== null)).length
    return left.reduce<number>((sum, element) => sum + rowsIn(element, true), own)
  }
  if (!isJsonObject(left)) return 0
  return Object.values(left).reduce<number>((sum, member) => sum + rowsIn(member, inRow), 0)
}

describe('a result with its rows limited', () => {
  it('has no more of them in all, wherever they stand, and is left as it is where there are none', () => {
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 6 }), (one, limit) => {
        const duties = { redact: [], limitRows: limit, notify: [], profile: null, record: null }
        const given = { content: [], structuredContent: { data: one } }
        const before = rowsIn(one, false)
        const { result } = fulfilResult('call', given, duties, () => true)
        const left = result['structuredContent'] ?? null
        expect(rowsIn(left, false)).toBeLessThanOrEqual(limit)
        if (before === 0 && limit > 4) expect(readable(left)).toBe(readable(given.structuredContent))
      }),
      { numRuns: 300 },
    )
  })
})
