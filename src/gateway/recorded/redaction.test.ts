import { describe, expect, it } from 'vitest'
import { growth, linearGrowth } from '../../../test/support/growth.ts'
import { mayHoldSecrets, withoutSecrets } from '../../audit/index.ts'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import { keptEngineInput, keptInput, keptOutput } from './kept-body.ts'
import { Redaction } from './redaction.ts'

const tail = 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'
const rules = () => ({ redaction: new Redaction(), maxBytes: 64 * 1024 })
const input = (args: JsonValue, schema: JsonObject | null = null) => keptInput(args, null, schema, rules())

// Put together here, so that this file holds nothing that looks like a credential.
const credentials: readonly (readonly [string, string])[] = [
  ['mcpworks-key', `mcpw_abcdefghij12_${tail}Ab3dEf6`],
  ['jwt', `eyJ${tail}.eyJ${tail}.${tail}`],
  ['jwt', `eyJ${tail}..${tail}.${tail}.${tail}`.replace('..', `.${tail}.`)],
  ['github-token', `ghp_${tail}`],
  ['github-token', `github_pat_${tail}_${tail}`],
  ['gitlab-token', `glpat-${tail.slice(0, 20)}`],
  ['aws-key', `AKIAABCDEFGH12345678`],
  ['google-key', `AIza${tail.slice(0, 35)}`],
  ['google-key', `ya29.${tail}`],
  ['slack-token', `xoxb-${tail}`],
  ['api-key', `sk-ant-api03-${tail}`],
  ['stripe-key', `sk_live_${tail}`],
  ['registry-token', `npm_${tail}`],
  ['platform-token', `hf_${tail}`],
  ['mail-key', `SG.${tail}.${tail}`],
  ['bot-token', `123456789:AA${tail.slice(0, 33)}`],
]

describe('what looks like a credential', () => {
  it.each(credentials)('is found wherever it stands: %s', (kind, secret) => {
    for (const [before, after] of [
      ['', ''],
      ['the key is ', '.'],
      ['line\n', '\nline'],
      ['"', '"'],
      ['key=', '&x=1'],
      ['(', ')'],
      // JSON within a text, and an address within another.
      [String.raw`{"of":"line\n`, String.raw`\n"}`],
      [String.raw`\u003d`, '"'],
      ['?next=%2Fa%3Fkey%3D', '%26x'],
    ]) {
      const text = `${before}${secret}${after}`
      expect(withoutSecrets(text)).toEqual({ text: `${before}[redacted ${kind}]${after}`, count: 1 })
      expect(mayHoldSecrets(JSON.stringify({ text }))).toBe(true)
    }
  })

  it('is found in headers, addresses and PEM, and what stands around it stays', () => {
    expect(withoutSecrets(`authorization: bearer ${tail}`).text).toBe('authorization: bearer [redacted authorization]')
    expect(withoutSecrets('postgres://app:hunter2@db/x').text).toBe('postgres://app:[redacted url-password]@db/x')
    const pem = `a\n-----BEGIN EC PRIVATE KEY-----\n${tail}\n-----END EC PRIVATE KEY-----\nb`
    expect(withoutSecrets(pem).text).toBe(
      'a\n-----BEGIN EC PRIVATE KEY-----[redacted private-key]-----END EC PRIVATE KEY-----\nb',
    )
    const armour = ['-----BEGIN PGP PRIVATE KEY', ' BLOCK-----'].join('')
    expect(withoutSecrets(`${armour}\n\n${tail}\n-----END PGP PRIVATE KEY BLOCK-----`).text).toBe(
      `${armour}[redacted private-key]-----END PGP PRIVATE KEY BLOCK-----`,
    )
    expect(mayHoldSecrets(armour)).toBe(true)
    expect(withoutSecrets(`-----BEGIN PRIVATE KEY-----\n${tail}`).text).toBe(
      '-----BEGIN PRIVATE KEY-----[redacted private-key]',
    )
  })

  it.each([
    'risk-assessment-for-the-next-quarter',
    'https://example.com:8080/path?x=1',
    'basic facts about nothing',
    'eyJust a word',
    'a public key: -----BEGIN PUBLIC KEY-----',
    'sk-short',
    'hello ghp_ and sk- and AKIA',
  ])('is not seen in %s', (text) => {
    expect(withoutSecrets(text)).toEqual({ text, count: 0 })
  })

  it.each(['eyJ', 'eyJaaaaaaaa.', 'sk-', '://a:', 'Bearer ', '-----BEGIN PRIVATE KEY-----', 'xoxb-a', 'ghp_a '])(
    'takes time linear in the length to look for, for %j again and again',
    (piece) => {
      expect(growth(2_048, (size) => withoutSecrets(piece.repeat(size / 2)))).toBeLessThan(linearGrowth)
    },
  )
})

describe('what a schema marks as secret', () => {
  const schema: JsonObject = {
    $defs: { login: { type: 'object', properties: { pin: { type: 'integer', 'x-mcpworks-secret': true } } } },
    properties: {
      user: { type: 'string' },
      password: { type: 'string', format: 'password' },
      keys: { type: 'array', items: { type: 'string', writeOnly: true } },
      login: { $ref: '#/$defs/login' },
      either: { anyOf: [{ type: 'null' }, { type: 'object', additionalProperties: { writeOnly: true } }] },
    },
  }

  it('is taken out, with what looks like anything there, and counted', () => {
    const args = {
      user: 'ada',
      password: 'x',
      keys: ['one', 'two'],
      login: { pin: 1234, at: 'home' },
      either: { any: { thing: true } },
    }
    const kept = input(args, schema)
    expect(JSON.parse(kept.json)).toEqual({
      user: 'ada',
      password: '[redacted]',
      keys: ['[redacted]', '[redacted]'],
      login: { pin: '[redacted]', at: 'home' },
      either: { any: '[redacted]' },
    })
    expect(kept.redactions).toBe(5)
    expect(args.password).toBe('x')
  })

  it('is taken out of the engine input and of the result too, wherever its value stands', () => {
    const both = rules()
    keptInput({ password: 'hunter22', user: 'ada' }, null, schema, both)
    const engine = { context: { args: { password: 'hunter22', user: 'ada' }, facts: { all: 'ada hunter22' } } }
    const kept = keptEngineInput(JSON.stringify(engine), schema, both)
    expect(kept.json).not.toContain('hunter22')
    expect(kept.redactions).toBe(2)
    const result = { content: [{ type: 'text', text: 'logged in with hunter22' }] }
    const output = keptOutput(result, { stdout: 'hunter22', stderr: '' }, null, both)
    expect(output.json).not.toContain('hunter22')
    expect(output.redactions).toBe(2)
    // Another exchange knows nothing of it.
    expect(keptOutput(result, null, null, rules())).toEqual({ json: JSON.stringify(result) })
  })

  it('is taken out of structured content, and of the text that repeats it', () => {
    const value = { pin: 12, user: 'ada' }
    const outputSchema = { properties: { pin: { 'x-mcpworks-secret': true } } }
    const result = { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value }
    const kept = keptOutput(result, null, outputSchema, rules())
    const text = JSON.stringify({ pin: '[redacted]', user: 'ada' })
    expect(JSON.parse(kept.json)).toEqual({
      content: [{ type: 'text', text }],
      structuredContent: { pin: '[redacted]', user: 'ada' },
    })
  })

  it.each([
    ['white space around it', ' \n{"pin":12,"user":"ada"}\n', '{"pin":"[redacted]","user":"ada"}'],
    ['a byte order mark', '\ufeff{"pin":12}', '{"pin":"[redacted]"}'],
    ['no member of it', ' {"user":"ada"}', ' {"user":"ada"}'],
    ['prose', '[not JSON] pin', '[not JSON] pin'],
  ])('is taken out of text with %s, and of an embedded resource', (_, text, left) => {
    const outputSchema = { properties: { pin: { 'x-mcpworks-secret': true } } }
    const result = {
      content: [
        { type: 'text', text },
        { type: 'resource', resource: { uri: 'a:b', text } },
      ],
    }
    expect(JSON.parse(keptOutput(result, null, outputSchema, rules()).json)).toEqual({
      content: [
        { type: 'text', text: left },
        { type: 'resource', resource: { uri: 'a:b', text: left } },
      ],
    })
  })

  it.each([
    [
      'a list',
      { type: 'array', items: { properties: { pin: { writeOnly: true } } } },
      [{ pin: 7, n: 1 }],
      '[{"pin":"[redacted]","n":1}]',
    ],
    ['a number', { writeOnly: true }, 7, '[redacted]'],
    ['a short text', { writeOnly: true }, 'ab', '[redacted]'],
    ['nothing secret', { type: 'array' }, [7], '[7]'],
  ])('is taken out of text where structured content holds it as its result: %s', (_, schema, value, left) => {
    const outputSchema = { properties: { result: schema, note: { writeOnly: true } } }
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const result = { content: [{ type: 'text', text }], structuredContent: { result: value } }
    const kept = keptOutput(result, null, outputSchema, rules())
    expect(JSON.parse(kept.json)).toMatchObject({ content: [{ type: 'text', text: left }] })
  })

  it('keeps no text that is nested deeper than can be looked through', () => {
    const deep = { $ref: '#', properties: { a: { $ref: '#' }, pin: { writeOnly: true } } }
    const text = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`
    const kept = keptOutput({ content: [{ type: 'text', text }] }, null, deep, rules())
    expect(JSON.parse(kept.json)).toEqual({ content: [{ type: 'text', text: '[redacted]' }] })
  })

  it('ends where a schema goes round in circles', () => {
    const round = { $ref: '#', properties: { a: { $ref: '#' }, secret: { writeOnly: true } } }
    expect(JSON.parse(input({ a: { a: { secret: 1 } } }, round).json)).toEqual({ a: { a: { secret: '[redacted]' } } })
  })

  it('does not grow where values that are secret are parts of what takes their place', () => {
    const mark = '[redacted]'
    const values = new Set(['AAAA'])
    for (const two of [mark + mark, `[red${mark}]`, `${mark}ted]`, `ed]${mark}`])
      for (let at = 0; at + 4 <= two.length && values.size < 100; at += 1) values.add(two.slice(at, at + 4))
    const both = rules()
    keptInput({ keys: [...values] }, null, schema, both)
    expect(both.redaction.plain('AAAA and AAAA', 10_000)).toBe(`${mark} and ${mark}`)
    expect(both.redaction.swept({ text: 'AAAA', other: 'cted' })).toEqual({
      value: { text: mark, other: mark },
      count: 2,
    })
    // The longer of two is taken out whole, and what is left of a value that is cut by a mark stays.
    const parts = rules()
    keptInput({ keys: ['hunter', 'my-hunter22', 'r22 and'] }, null, schema, parts)
    expect(parts.redaction.plain('my-hunter22 and hunter', 10_000)).toBe(`${mark} and ${mark}`)
  })

  it('keeps nothing where more is secret than can be looked for', () => {
    const keys = Array.from({ length: 101 }, (_, at) => `secret-${at}`)
    expect(input({ keys }, schema).json).toBe('{"omitted":"too many secrets"}')
  })
})

describe('what holds no secret', () => {
  it('is stored as it is, also the exact input of the engine', () => {
    const args = { text: 'task-1, see https://example.com', count: 3 }
    expect(input(args)).toEqual({ json: JSON.stringify(args) })
    const engine = JSON.stringify({ context: { args } })
    expect(keptEngineInput(engine, null, rules())).toEqual({ json: engine })
  })

  it('lets no member take the place of another', () => {
    const kept = input({ [`ghp_${tail}`]: 1, [`ghp_${tail}x`]: 2 })
    expect(JSON.parse(kept.json)).toEqual({ '[redacted github-token]': 1, '[redacted github-token] (2)': 2 })
  })

  it('is replaced by its size and digest where it is too large', () => {
    const kept = keptInput({ text: 'x'.repeat(100) }, null, null, { redaction: new Redaction(), maxBytes: 50 })
    expect(JSON.parse(kept.json)).toMatchObject({ omitted: 'over audit body limit', bytes: 111 })
  })
})
