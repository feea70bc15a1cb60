import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../kernel/index.ts'
import { emailRecipients } from './email-recipients.ts'
import { growth, linearGrowth } from '../../../test/support/growth.ts'

const read = (value: JsonValue, parameters = { subaddress: 'keep' }) =>
  emailRecipients.extract([{ argument: 'to', value }], parameters)

const addressesOf = (value: JsonValue, parameters?: { subaddress: string }): unknown => {
  const extracted = read(value, parameters)
  return extracted.ok ? (extracted.value as { addresses: string[] }).addresses : extracted.problem
}

describe('recipients that any mail software reads alike', () => {
  it.each<[JsonValue, string[]]>([
    ['ann@example.com', ['ann@example.com']],
    ['Ann@EXAMPLE.com', ['ann@example.com']],
    ['', []],
    [[], []],
    ['a@example.com,b@example.org', ['a@example.com', 'b@example.org']],
    [' a@example.com , b@example.org ', ['a@example.com', 'b@example.org']],
    [
      ['a@example.com', 'b@example.org'],
      ['a@example.com', 'b@example.org'],
    ],
    ['Ann Other <ann@example.com>', ['ann@example.com']],
    ['"Other, Ann" <ann@example.com>, b@example.org', ['ann@example.com', 'b@example.org']],
    ['<ann@example.com>', ['ann@example.com']],
    ['Änne Müller <ann@example.com>', ['ann@example.com']],
    ['ann@bücher.example', ['ann@xn--bcher-kva.example']],
    ['ann@xn--bcher-kva.example', ['ann@xn--bcher-kva.example']],
    // A Cyrillic "а" is another domain, and shows as one.
    ['ann@exаmple.com', ['ann@xn--exmple-4nf.com']],
    ['ann+news@example.com', ['ann+news@example.com']],
  ])('%j', (value, addresses) => {
    expect(addressesOf(value)).toEqual(addresses)
  })

  it('drops what stands after a plus sign where the binding says so, but never the whole local part', () => {
    expect(addressesOf('ann+news@example.com, +x@example.com', { subaddress: 'drop' })).toEqual([
      '+x@example.com',
      'ann@example.com',
    ])
  })

  it('counts each recipient and shows records the domains, not the addresses', () => {
    expect(
      emailRecipients.extract(
        [
          { argument: 'to', value: ['b@example.org', 'a@example.com'] },
          { argument: 'cc', value: 'a@example.com' },
        ],
        { subaddress: 'keep' },
      ),
    ).toEqual({
      ok: true,
      value: {
        addresses: ['a@example.com', 'b@example.org'],
        count: 3,
        domains: ['example.com', 'example.org'],
      },
      open: { count: 3, domains: ['example.com', 'example.org'] },
    })
  })
})

describe('recipients that mail software could read in two ways', () => {
  it.each<[JsonValue, string]>([
    ['ann@example.com(comment)', 'holds an address with a comment'],
    ['ann(@evil.example)@example.com', 'holds an address with a comment'],
    ['Staff: a@example.com, b@evil.example;', 'holds a group, a route or another separator than the comma'],
    ['a@example.com; b@evil.example', 'holds a group, a route or another separator than the comma'],
    ['mailto:a@example.com', 'holds a group, a route or another separator than the comma'],
    ['<@evil.example:ann@example.com>', 'holds a group, a route or another separator than the comma'],
    ['"b@evil.example"@example.com', 'holds a quoted part that mail software reads differently'],
    ['"b@evil.example" <ann@example.com>', 'holds a quoted part that mail software reads differently'],
    ['"<b@evil.example>" <ann@example.com>', 'holds a quoted part that mail software reads differently'],
    ['"a\\" <b@evil.example>, \\"" <ann@example.com>', 'holds a quoted part that mail software reads differently'],
    ['b@evil.example <ann@example.com>', 'holds a recipient that is not plainly one address'],
    ['Ann <ann@example.com> <b@evil.example>', 'holds a recipient that is not plainly one address'],
    ['ann@example.com b@evil.example', 'holds a recipient that is not plainly one address'],
    ['Ann <ann@example.com', 'holds a recipient that is not plainly one address'],
    ['ann@example.com>', 'holds a recipient that is not plainly one address'],
    ['=?utf-8?q?=3Cb=40evil.example=3E?= <ann@example.com>', 'holds a display name in encoded words'],
    ['ann@evil.example@example.com', 'holds an address with more than one "@"'],
    ['ann%evil.example@example.com', 'holds an address whose local part is not plain'],
    ['evil.example!ann@example.com', 'holds an address whose local part is not plain'],
    ['.ann@example.com', 'holds an address whose local part is not plain'],
    ['a..nn@example.com', 'holds an address whose local part is not plain'],
    ['аnn@example.com', 'holds an address whose local part is not plain'],
    ['@example.com', 'holds an address whose local part is not plain'],
    ['ann', 'holds a recipient that is no address'],
    ['ann@', 'lacks a domain'],
    ['ann@localhost', 'holds a domain of one label'],
    ['ann@example.com.', 'holds a domain with an empty or too long label'],
    ['ann@-example.com', 'holds a domain with a hyphen at an end of a label'],
    ['ann@[127.0.0.1]', 'holds an address literal'],
    ['ann@127.0.0.1', 'holds a number in place of a domain'],
    ['ann@0x7f.0x1', 'holds a number in place of a domain'],
    ['ann@exam_ple.com', 'holds a domain with characters that no domain has'],
    ['ann@evil.example/example.com', 'holds a domain with characters that no domain has'],
    ['ann@example。com', 'holds a domain with characters that no domain has'],
    ['ann@ｅxample.com', 'holds a domain that readers of Unicode turn into different names'],
    ['ann@straße.example', 'holds a domain that readers of Unicode turn into different names'],
    ['ann@\u0301.example', 'holds a domain that cannot be written in ASCII'],
    ['ann@example.com\nBcc: b@evil.example', 'holds a line break, or an invisible or control character'],
    ['ann@example.com\r\n', 'holds a line break, or an invisible or control character'],
    ['ann\u200b@example.com', 'holds a line break, or an invisible or control character'],
    ['\u202emoc.elpmaxe@nna', 'holds a line break, or an invisible or control character'],
    ['a@example.com\u0000', 'holds a line break, or an invisible or control character'],
    ['a@example.com,', 'holds an empty address'],
    [',a@example.com', 'holds an empty address'],
    ['a@example.com,,b@example.com', 'holds an empty address'],
    [[''], 'holds an empty address'],
    [['a@example.com, b@evil.example'], 'holds several addresses in one element'],
    [[['a@example.com']], 'is not text or a list of text'],
    [{ email: 'a@example.com' }, 'is not text or a list of text'],
    [`${'a'.repeat(65)}@example.com`, 'holds an address with a local part that is too long'],
    [`a@${'b.'.repeat(130)}example`, 'holds a domain that is too long'],
    [Array.from({ length: 501 }, (_, index) => `a${index}@example.com`), 'holds more than 500 recipients'],
    ['a'.repeat(65_537), 'is longer than 65536 characters'],
  ])('%j', (value, problem) => {
    expect(read(value)).toEqual({ ok: false, argument: 'to', problem })
  })
})

describe('any text at all', () => {
  const pieces = fc.constantFrom(
    'a',
    'b',
    '@',
    '.',
    'example',
    'com',
    ' ',
    ',',
    '<',
    '>',
    '"',
    '\\',
    '(',
    ')',
    ';',
    ':',
    '\n',
  )
  const hostile = fc.array(pieces, { maxLength: 24 }).map((parts) => parts.join(''))

  it('gives no address whose domain the text does not hold after an "@"', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const found = addressesOf(text)
        if (typeof found === 'string') return
        for (const address of found as string[]) expect(text.toLowerCase()).toContain(address)
      }),
    )
  })

  it('finds every "@" of a text that it accepts', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const extracted = read(text)
        if (!extracted.ok) return
        expect((extracted.value as { count: number }).count).toBe(text.split('@').length - 1)
      }),
    )
  })

  it('reads what it gives as the same recipients again', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    const address = fc.tuple(fc.stringMatching(/^[a-z0-9+_-]{1,10}$/), label, fc.stringMatching(/^[a-z]{2,5}$/))
    fc.assert(
      fc.property(fc.array(address, { maxLength: 8 }), (parts) => {
        const given = [...new Set(parts.map(([local, name, top]) => `${local}@${name}.${top}`))].sort()
        expect(addressesOf(given)).toEqual(given)
        expect(addressesOf(given.map((one) => `Some Name <${one.toUpperCase()}>`).join(', '))).toEqual(given)
      }),
    )
  })

  it.each([' ', '"', '<', 'a', '"a" ', 'a,', 'a ', '=?', '<a>', '@'])(
    'takes time linear in its length, for %j again and again',
    (piece) => {
      expect(growth(1_024, (size) => read(piece.repeat(size / piece.length)))).toBeLessThan(linearGrowth)
    },
  )
})
