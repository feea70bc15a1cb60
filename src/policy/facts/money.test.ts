import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { demoVocabulary, policyRequest } from '../../../test/support/policy-request.ts'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import { createCedarPolicyEngine } from '../create-cedar-policy-engine.ts'
import { minorDigits } from './currencies.ts'
import { money } from './money.ts'

const euros = { currency: 'EUR', unit: 'major', decimal: '.', negative: 'deny' }

function minorOf(value: JsonValue, settings: JsonObject = {}, currency?: JsonValue): unknown {
  const inputs = [{ argument: 'amount', value }]
  if (currency !== undefined) inputs.push({ argument: 'currency', value: currency })
  const extracted = money.extract(inputs, { ...euros, ...settings })
  return extracted.ok ? (extracted.value as { minor: number }).minor : `${extracted.argument} ${extracted.problem}`
}

const plain = 'amount is no plain amount'
const decimals = 'amount has more decimals than its currency'

describe('an amount of money', () => {
  it.each<[JsonValue, JsonObject, unknown]>([
    [12, {}, 1200],
    [12.5, {}, 1250],
    [0.1, {}, 10],
    [4.35, {}, 435],
    [0, {}, 0],
    [-0, {}, 0],
    ['12.50', {}, 1250],
    ['12.5', {}, 1250],
    ['0.05', {}, 5],
    [1250, { unit: 'minor' }, 1250],
    ['1250', { unit: 'minor' }, 1250],
    [100, { currency: 'JPY' }, 100],
    [1.234, { currency: 'KWD' }, 1234],
    ['1,234,567.89', { group: ',' }, 123_456_789],
    ['1.234.567,89', { decimal: ',', group: '.' }, 123_456_789],
    ["1'234.50", { group: "'" }, 123_450],
    ['1 234,50', { decimal: ',', group: ' ' }, 123_450],
    ['1234.5', { group: ',' }, 123_450],
    [-5, { negative: 'allow' }, -500],
    ['-5.25', { negative: 'allow' }, -525],
    ['-0.50', { negative: 'allow' }, -50],
    // What readers could take for two amounts, or none.
    [12.345, {}, plain],
    [0.1 + 0.2, {}, plain],
    [1e15, {}, plain],
    [1e300, {}, plain],
    [12.5, { unit: 'minor' }, plain],
    [100.5, { currency: 'JPY' }, plain],
    ['12.345', {}, decimals],
    ['12.50', { unit: 'minor' }, decimals],
    ['1.0', { currency: 'JPY' }, decimals],
    ['1,234', {}, plain],
    ['1.234', { decimal: ',' }, plain],
    ['1.234,50', {}, plain],
    ['1,23', { group: ',' }, plain],
    ['1,2345', { group: ',' }, plain],
    ['1234,567', { group: ',' }, plain],
    [',123', { group: ',' }, plain],
    ['1,,234', { group: ',' }, plain],
    ['1.2.3', {}, plain],
    ['.5', {}, plain],
    ['5.', {}, plain],
    ['', {}, plain],
    ['-', {}, plain],
    ['--5', { negative: 'allow' }, plain],
    ['- 5', { negative: 'allow' }, plain],
    ['(5)', { negative: 'allow' }, plain],
    ['+5', {}, plain],
    [' 5', {}, plain],
    ['5\n', {}, plain],
    ['007', {}, plain],
    ['0x10', {}, plain],
    ['1e3', {}, plain],
    ['1_000', {}, plain],
    ['€5', {}, plain],
    ['5 EUR', {}, plain],
    ['٥', {}, plain],
    ['５', {}, plain],
    ['1\u00a0234,50', { decimal: ',', group: ' ' }, plain],
    ['1234567890123456', {}, plain],
    ['999999999999999', {}, 'amount is too large an amount'],
    [-5, {}, 'amount is a negative amount'],
    ['-0.01', {}, 'amount is a negative amount'],
    [null, {}, plain],
    [true, {}, plain],
    [[5], {}, plain],
    [{ amount: 5 }, {}, plain],
  ])('%j with %j', (value, settings, expected) => {
    expect(minorOf(value, settings)).toBe(expected)
  })

  it('takes its currency from a second argument, in capitals, and never guesses it', () => {
    const open = { unit: 'major', decimal: '.', negative: 'deny' }
    const read = (currency: JsonValue) =>
      money.extract(
        [
          { argument: 'amount', value: 5 },
          { argument: 'currency', value: currency },
        ],
        open,
      )
    expect(read('JPY')).toMatchObject({ ok: true, value: { minor: 5, currency: 'JPY' } })
    for (const code of ['jpy', 'JPY ', 'XXX', 'EURO', '', '__proto__', 5, ['EUR']])
      expect(read(code)).toMatchObject({ ok: false, argument: 'currency' })
    expect(money.extract([{ argument: 'amount', value: 5 }], open)).toMatchObject({ ok: false, argument: 'amount' })
  })

  it('is the same whether it comes as a number or as text, in every currency', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 }), fc.constantFrom(...minorDigits), (minor, [currency, digits]) => {
        const text = (minor / 10 ** digits).toFixed(digits)
        expect(minorOf(Number(text), { currency })).toBe(minor)
        expect(minorOf(text, { currency })).toBe(minor)
        expect(minorOf(minor, { currency, unit: 'minor' })).toBe(minor)
      }),
    )
  })

  it('with separators reads what was written with them, and with others something else or nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100_000, max: 1e11 }), (minor) => {
        const english = new Intl.NumberFormat('en', { minimumFractionDigits: 2 }).format(minor / 100)
        const german = new Intl.NumberFormat('de', { minimumFractionDigits: 2 }).format(minor / 100)
        expect(minorOf(english, { group: ',' })).toBe(minor)
        expect(minorOf(german, { decimal: ',', group: '.' })).toBe(minor)
        expect(minorOf(german, { group: ',' })).toBe(plain)
        expect(minorOf(english, { decimal: ',', group: '.' })).toBe(plain)
      }),
    )
  })

  it('never gives anything but a whole number, for any text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+0-9.,' eE]{0,20}$/), (text) => {
        const minor = minorOf(text, { group: ',', negative: 'allow' })
        expect(typeof minor === 'string' || Number.isSafeInteger(minor)).toBe(true)
      }),
    )
  })
})

describe('what a call spends', () => {
  const facts = (binding: string) =>
    `spend: { currency: EUR }\nfacts:\n  mail-send:\n    cost: { extract: money, from: amount, ${binding} }\n`
  const sources = (text: string) => [
    { file: 'facts.yaml', text },
    { file: 'p.cedar', text: 'permit (principal, action, resource == Tool::"demo/mail-send");' },
  ]
  const decided = (text: string, amount: number) => {
    const engine = createCedarPolicyEngine()
    expect(engine.install(sources(text), demoVocabulary).problems).toEqual([])
    return engine.decide(
      policyRequest({
        resource: { id: 'demo/mail-send', service: 'mail' },
        arguments: { to: [], retries: 1, amount },
      }),
    )
  }

  it('is the fact that says so, in the minor unit', () => {
    const spent = 'currency: EUR, unit: major, spend: true'
    expect(decided(facts(spent), 12.5)).toMatchObject({ effect: 'allow', spend: 1250 })
    expect(decided(facts('currency: EUR, unit: major'), 12.5)).toMatchObject({ effect: 'allow', spend: 0 })
    expect(decided(facts(`${spent}, negative: allow`), -12.5)).toMatchObject({ effect: 'allow', spend: 0 })
  })

  it('denies where it cannot be told, although no policy reads the fact', () => {
    expect(decided(facts('currency: EUR, unit: major'), 12.345).effect).toBe('allow')
    expect(decided(facts('currency: EUR, unit: major, spend: true'), 12.345)).toMatchObject({
      effect: 'deny',
      basis: 'error',
      errors: [{ message: 'The fact "cost" cannot be told: the argument "amount" is no plain amount.' }],
    })
  })

  it('is in one currency only', () => {
    const check = createCedarPolicyEngine().check(
      sources(facts('currency: USD, unit: major, spend: true')),
      demoVocabulary,
    )
    expect(check.problems).toMatchObject([{ line: 4, column: 43, message: 'calls spend another currency here' }])
  })

  it.each([
    ['unit: major', 'say the currency once: as "currency", or by a second argument in "from"'],
    ['currency: EUR', 'say what amounts are in: minor (cents) or major (euros)'],
    ['currency: EUX, unit: major', 'there is no such currency: write ISO 4217, such as EUR'],
    ['currency: EUR, unit: major, group: .', 'thousands and decimals cannot have the same separator'],
  ])('must be bound without doubt: %s', (binding, message) => {
    expect(createCedarPolicyEngine().check(sources(facts(binding)), demoVocabulary).problems).toMatchObject([
      { message },
    ])
  })
})
