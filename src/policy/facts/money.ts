import { z } from 'zod'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import { minorDigits } from './currencies.ts'
import { unreadable, type Extractor } from './extractor.ts'

const parameters = z
  .strictObject({
    /** What the amount is in; without it, a second argument says so. */
    currency: z
      .string()
      .refine((code) => minorDigits.has(code), { error: 'there is no such currency: write ISO 4217, such as EUR' })
      .optional(),
    unit: z.enum(['minor', 'major'], { error: 'say what amounts are in: minor (cents) or major (euros)' }),
    decimal: z.enum(['.', ','], { error: 'the decimal separator is "." or ","' }).default('.'),
    group: z.enum(['.', ',', ' ', "'"], { error: 'thousands are set apart by ".", ",", " " or "\'"' }).optional(),
    negative: z.enum(['deny', 'allow'], { error: 'negative is deny or allow' }).default('deny'),
  })
  .refine(({ decimal, group }) => decimal !== group, {
    error: 'thousands and decimals cannot have the same separator',
    path: ['group'],
  })

/** Amounts are below this: ten thousand billion in a currency of two digits, and exact as a number in JSON. */
const minorLimit = 1e15

/**
 * An amount of money in its minor unit, with its currency: from one argument where the binding says the currency, from
 * two (amount, currency) where an argument does. A number must be exact in the minor unit (12.345 EUR is none). Text is
 * digits with the separators that the binding declares and nothing else: which of "1,234" and "1.234" is a thousand is
 * the author's to say and never guessed. No exponents, signs of currencies, leading zeros, other digits than 0-9.
 */
export const money: Extractor = {
  name: 'money',
  version: 1,
  parameters,
  type: {
    type: 'Record',
    attributes: { currency: { type: 'String', required: true }, minor: { type: 'Long', required: true } },
  },
  givesMoney: true,
  takes: { least: 1, most: 2 },
  whenAbsent: null,
  reads: ({ type }, _, position) => type === 'String' || (position === 0 && (type === 'Long' || type === 'Extension')),
  misuse: ({ currency }, from) =>
    (currency === undefined) === (from.length === 2)
      ? null
      : 'say the currency once: as "currency", or by a second argument in "from"',
  extract([amount, second], settings) {
    if (amount === undefined) return unreadable('', 'is missing')
    if (settings.currency === undefined && second === undefined)
      return unreadable(amount.argument, 'stands alone, and an amount goes with its currency')
    const currency = second === undefined ? settings.currency : second.value
    const digits = typeof currency === 'string' ? minorDigits.get(currency) : undefined
    if (typeof currency !== 'string' || digits === undefined)
      return unreadable(second?.argument ?? amount.argument, 'names no currency of ISO 4217')
    const minor = minorOf(amount.value, digits, settings)
    if (typeof minor === 'string') return unreadable(amount.argument, minor)
    if (minor < 0 && settings.negative !== 'allow') return unreadable(amount.argument, 'is a negative amount')
    if (Math.abs(minor) >= minorLimit) return unreadable(amount.argument, 'is too large an amount')
    return { ok: true, value: { currency, minor }, open: { currency, minor }, money: { minor, currency } }
  },
}

/** The amount in minor units, or what is wrong with it. */
function minorOf(value: JsonValue, digits: number, settings: JsonObject): number | string {
  const shift = settings.unit === 'minor' ? 0 : digits
  const text =
    typeof value === 'string' ? plainDecimal(value, settings) : typeof value === 'number' ? fixed(value, shift) : null
  if (text === null) return 'is no plain amount'
  const [whole = '', fraction = ''] = text.split('.')
  if (fraction.length > shift) return 'has more decimals than its currency'
  return Number(`${whole}${fraction.padEnd(shift, '0')}`) + 0
}

/** The number with so many decimals; `null` where that would be another number. */
function fixed(value: number, decimals: number): string | null {
  const text = (value + 0).toFixed(decimals)
  return Math.abs(value) < minorLimit && Number(text) === value ? text : null
}

/** Text as sign, digits, point and digits; `null` where it is anything else. */
function plainDecimal(text: string, { decimal, group }: JsonObject): string | null {
  const [whole = '', fraction, ...more] = text.split(String(decimal))
  if (text.length > 40 || more.length > 0 || (fraction !== undefined && !/^[0-9]{1,15}$/.test(fraction))) return null
  const sign = whole.startsWith('-') ? '-' : ''
  const parts = typeof group === 'string' ? whole.slice(sign.length).split(group) : [whole.slice(sign.length)]
  // Every group but the first has three digits: "1,23" is no thousand.
  const grouped = parts.every((part, index) => (index === 0 ? /^[0-9]{1,15}$/ : /^[0-9]{3}$/).test(part))
  if (!grouped || (parts.length > 1 && (parts[0]?.length ?? 0) > 3)) return null
  const digits = parts.join('')
  if (digits.length > 15 || (digits.startsWith('0') && digits !== '0')) return null
  return `${sign}${digits}${fraction === undefined ? '' : `.${fraction}`}`
}
