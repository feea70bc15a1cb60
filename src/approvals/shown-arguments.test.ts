import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../kernel/index.ts'
import { shownArguments } from './shown-arguments.ts'
import { growth, linearGrowth } from '../../test/support/growth.ts'

describe('the arguments as an approver sees them', () => {
  it('are whole where nothing is a secret', () => {
    const args: JsonObject = {
      order: 'a1',
      amount: 500,
      tags: ['x', null, true],
      token_count: 12,
      passwords_are_bad: 'yes',
      nested: { secretary: 'Ann', url: 'https://shop.example/a:b@c' },
    }
    expect(shownArguments(args, null)).toEqual(args)
    expect(shownArguments(args, { type: 'object', properties: { order: { type: 'string' } } })).toEqual(args)
  })

  it.each([
    'password',
    'PASSWORD',
    'userPassword',
    'api_key',
    'apiKey',
    'x-api-key',
    'clientSecret',
    'token',
    'access_token',
    'Authorization',
    'cookie',
    'privateKey',
    'credentials',
  ])('hide a member called %s, whatever it is', (name) => {
    expect(shownArguments({ [name]: 'canary' }, null)).toEqual({ [name]: '[hidden: 6 characters]' })
    expect(shownArguments({ deep: [{ [name]: { a: 'canary' } }] }, null)).toEqual({
      deep: [{ [name]: '[hidden: 14 characters]' }],
    })
  })

  it('hide what the schema says is a secret', () => {
    const schema: JsonObject = {
      properties: {
        pin: { type: 'string', writeOnly: true },
        word: { type: 'string', format: 'password' },
        deep: { type: 'object', properties: { pin: { writeOnly: true } } },
        list: { type: 'array', items: { writeOnly: true } },
      },
    }
    expect(
      shownArguments({ pin: 1234, word: 'abc', deep: { pin: '1', other: '2' }, list: ['a', 'b'] }, schema),
    ).toEqual({
      pin: '[hidden: 4 characters]',
      word: '[hidden: 3 characters]',
      deep: { pin: '[hidden: 1 characters]', other: '2' },
      list: ['[hidden: 1 characters]', '[hidden: 1 characters]'],
    })
  })

  it.each([
    ['a key of this server', 'use ', 'mcpw_abc123def456_0000', ' now'],
    ['a header', 'curl -H "Authorization: Bearer ', 'abcdefghijklmnop', '"'],
    ['a signed token', 'a ', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln', ' b'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----', '\nMIIEabc\n', '-----END RSA PRIVATE KEY-----'],
    ['a password in a URL', 'postgres://user:', 'hunter2', '@db.example/x'],
    ['a key of a maker', 'k=', 'AKIAIOSFODNN7EXAMPLE', ''],
  ])('hide %s wherever it stands, and nothing around it', (_what, before, secret, after) => {
    const text = `${before}${secret}${after}`
    const hidden = `${before}[hidden: ${secret.length} characters]${after}`
    expect(shownArguments({ note: text, [text]: 1, list: [{ at: text }] }, null)).toEqual({
      note: hidden,
      [hidden]: 1,
      list: [{ at: hidden }],
    })
  })

  it('keep members apart whose names are alike once secrets in them are hidden', () => {
    const args = { mcpw_abc123def456_aaaa: 'harmless', mcpw_abc123def456_bbbb: 'harm' }
    expect(shownArguments(args, null)).toEqual({
      '[hidden: 22 characters]': 'harmless',
      '[hidden: 22 characters] (2)': 'harm',
    })
  })

  it('are made in time, whatever is sent', () => {
    for (const piece of ['Bearer ', 'eyJaaaaaaaaa.', '-----BEGIN PRIVATE KEY-----', '://a:', 'sk-a', 'mcpw_a'])
      expect(growth(250, (size) => shownArguments({ text: piece.repeat(size) }, null))).toBeLessThan(linearGrowth)
  })

  it('take no member of an object for one that it inherits', () => {
    const args = JSON.parse('{"__proto__": {"a": 1}, "constructor": "x"}') as JsonObject
    expect(JSON.stringify(shownArguments(args, { properties: {} }))).toBe(JSON.stringify(args))
  })
})
