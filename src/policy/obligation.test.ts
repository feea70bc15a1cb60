import { describe, expect, it } from 'vitest'
import { mergeObligations } from './merge-obligations.ts'
import { parseObligations } from './obligation.ts'

const fault = (text: string): string => {
  const parsed = parseObligations(text)
  return parsed.ok ? 'fine' : `${parsed.fault.offset} ${parsed.fault.message} | ${parsed.fault.hint ?? ''}`
}

describe('the text of an obligation', () => {
  it('is read as one or several, with any white space between the parts', () => {
    expect(parseObligations('redact email, phone; limit-rows 25 ;notify security,ops;  profile strict')).toEqual({
      ok: true,
      obligations: [
        { kind: 'redact', fields: ['email', 'phone'] },
        { kind: 'limit-rows', rows: 25 },
        { kind: 'notify', channels: ['security', 'ops'] },
        { kind: 'profile', profile: 'strict' },
      ],
    })
  })

  it.each([
    [
      '',
      '0 there is no obligation here | write it like "redact email, phone; limit-rows 25; notify security; profile strict; record metadata"',
    ],
    [
      'redact email;',
      '13 there is no obligation here | write it like "redact email, phone; limit-rows 25; notify security; profile strict; record metadata"',
    ],
    ['redct email', '0 there is no obligation "redct" | did you mean "redact"?'],
    ['notify ops; limit_rows 3', '12 there is no obligation "limit_rows" | did you mean "limit-rows"?'],
    ['anonymise', '0 there is no obligation "anonymise" | known are redact, limit-rows, notify, profile, record'],
    ['redact', '6 the name of a field is missing | redact email, phone'],
    ['redact email,', '13 the name of a field is missing | redact email, phone'],
    ['redact email phone', '7 "email phone" is no name of a field | redact email, phone'],
    ['redact a.b', '7 "a.b" is no name of a field | redact email, phone'],
    ['redact __', '7 "__" is no name of a field | redact email, phone'],
    ['limit-rows', '10 limit-rows needs a whole number from 1 to 1000000 | limit-rows 25'],
    ['limit-rows 0', '11 limit-rows needs a whole number from 1 to 1000000 | limit-rows 25'],
    ['limit-rows 2.5', '11 limit-rows needs a whole number from 1 to 1000000 | limit-rows 25'],
    ['limit-rows 1000001', '11 limit-rows needs a whole number from 1 to 1000000 | limit-rows 25'],
    ['notify Security', '7 "Security" is no name of a channel | notify security'],
    ['record metadat', '7 there is no level "metadat" of what is recorded | record metadata'],
    ['profile strickt', '8 there is no sandbox profile "strickt" to force | profile strict'],
    [`redact ${Array.from({ length: 51 }, (_, at) => `f${at}`).join(',')}`, '7 at most 50 names | '],
    [' '.repeat(1001), '1000 an obligation has at most 1000 characters | '],
  ])('is refused with its place and what to write: %s', (text, expected) => {
    expect(fault(text)).toBe(expected)
  })
})

describe('the obligations of several permits', () => {
  it('all hold, and the strictest of each kind wins', () => {
    expect(
      mergeObligations([
        'redact email; limit-rows 100',
        'limit-rows 25; notify ops',
        'redact phone, email; profile strict',
      ]),
    ).toEqual({ redact: ['email', 'phone'], limitRows: 25, notify: ['ops'], profile: 'strict', record: null })
    expect(mergeObligations([])).toEqual({ redact: [], limitRows: null, notify: [], profile: null, record: null })
  })

  it('are not merged where one cannot be read', () => {
    expect(() => mergeObligations(['redact email', 'redact'])).toThrow('does not parse')
  })
})
