import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../kernel/index.ts'
import { checkSchema } from './check-schema.ts'
import { createSchemaValidator } from './create-schema-validator.ts'

const lead: JsonObject = {
  type: 'object',
  properties: {
    n: { type: 'integer', minimum: 1, maximum: 50 },
    country: { type: 'string', enum: ['DE', 'FR'] },
    code: { type: 'string', pattern: '^[A-Z]+-[0-9]+$', maxLength: 20 },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 2 },
    until: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
  required: ['n'],
  additionalProperties: false,
}

describe('validate', () => {
  const validator = createSchemaValidator()

  it.each<[string, unknown, [string, string][]]>([
    ['nothing wrong', { n: 5, country: 'DE', code: 'AB-1', until: null }, []],
    ['a missing property', {}, [['/n', 'is missing']]],
    ['a wrong type', { n: 'five' }, [['/n', 'must be a whole number, not text']]],
    ['a fraction for a whole number', { n: 1.5 }, [['/n', 'must be a whole number, not a number']]],
    ['null for a number', { n: null }, [['/n', 'must be a whole number, not null']]],
    ['too large a number', { n: 51 }, [['/n', 'must be at most 50']]],
    ['a value off the list', { n: 1, country: 'XX' }, [['/country', 'must be one of "DE", "FR"']]],
    [
      'an unknown property, with the nearest',
      { n: 1, cuntry: 'DE' },
      [['/cuntry', 'is not known here; did you mean "country"?']],
    ],
    ['a pattern', { n: 1, code: 'ab' }, [['/code', 'must match the pattern ^[A-Z]+-[0-9]+$']]],
    [
      'a list that is too long and holds the wrong thing',
      { n: 1, tags: ['a', 2, 'c'] },
      [
        ['/tags', 'must have at most 2 items'],
        ['/tags/1', 'must be text, not a whole number'],
      ],
    ],
    [
      'no alternative',
      { n: 1, until: 5 },
      [['/until', 'must be text, not a whole number, or must be null, not a whole number']],
    ],
    [
      'several things at once',
      { n: 0, country: 1 },
      [
        ['/n', 'must be at least 1'],
        ['/country', 'must be text, not a whole number'],
        ['/country', 'must be one of "DE", "FR"'],
      ],
    ],
    ['something that is no object', [1], [['', 'must be an object, not a list']]],
    [
      'a member of every object',
      JSON.parse('{"n": 1, "__proto__": {}, "constructor": 1}'),
      [
        ['/__proto__', 'is not known here; known: n, country, code, tags, until'],
        ['/constructor', 'is not known here; known: n, country, code, tags, until'],
      ],
    ],
  ])('tells of %s', (_title, value, problems) => {
    const found = validator.validate(lead, value).map(({ path, message }) => [path, message])
    expect(new Set(found)).toEqual(new Set(problems))
  })

  it('never repeats a value, which may be a secret', () => {
    const text = JSON.stringify(
      validator.validate(lead, { n: 'hunter2', country: 'hunter2', code: 'hunter2', tags: 'hunter2' }),
    )
    expect(text).not.toContain('hunter2')
  })

  it('changes nothing: no default is filled in and nothing is coerced', () => {
    const value = { n: '5' }
    expect(
      validator.validate({ type: 'object', properties: { n: { type: 'integer' }, m: { default: 1 } } }, value).length,
    ).toBe(1)
    expect(value).toEqual({ n: '5' })
  })

  it('does not take an inherited member for a given one', () => {
    expect(validator.validate({ type: 'object', required: ['toString'] }, {})).toEqual([
      { path: '/toString', message: 'is missing' },
    ])
  })

  it('refuses a value that is nested too deeply without descending into it', () => {
    let deep: unknown = 0
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(validator.validate({ type: 'object' }, deep)).toEqual([{ path: '', message: 'nested more than 32 deep' }])
  })

  it('tells one error of a large value, not hundreds of thousands', () => {
    const value = Array.from({ length: 200_000 }, () => 0)
    expect(validator.validate({ type: 'array', items: { type: 'string' } }, value).length).toBe(1)
  })

  it('gives up, and says so, where matching the patterns would take too long', () => {
    const schema = { type: 'array', items: { type: 'string', pattern: '^(a{1,200}|b)*$' } }
    expect(validator.validate(schema, ['aab'])).toEqual([])
    expect(
      validator.validate(
        schema,
        Array.from({ length: 100 }, () => 'a'.repeat(5000)),
      ),
    ).toEqual([{ path: '', message: 'too long to be compared with the patterns of the schema' }])
  })

  it('follows references inside the schema, also recursive ones', () => {
    const tree = {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
          required: ['name'],
        },
      },
    }
    expect(checkSchema(tree)).toEqual([])
    expect(validator.validate(tree, { name: 'a', children: [{ name: 'b', children: [{}] }] })).toEqual([
      { path: '/children/0/children/0/name', message: 'is missing' },
    ])
  })

  it('keeps the definitions of two schemas apart', () => {
    const one = { type: 'object', properties: { x: { $ref: '#/$defs/v' } }, $defs: { v: { type: 'string' } } }
    const two = { type: 'object', properties: { x: { $ref: '#/$defs/v' } }, $defs: { v: { type: 'integer' } } }
    expect(validator.validate(one, { x: 'a' })).toEqual([])
    expect(validator.validate(two, { x: 1 })).toEqual([])
    expect(validator.validate(one, { x: 1 }).length).toBe(1)
    const recursive = (type: string): JsonObject => ({
      type: 'object',
      properties: { next: { $ref: '#' }, x: { type } },
    })
    const [texts, numbers] = [recursive('string'), recursive('integer')]
    expect(validator.validate(texts, { next: { x: 'a' } })).toEqual([])
    expect(validator.validate(numbers, { next: { x: 1 } })).toEqual([])
    expect(validator.validate(texts, { next: { x: 1 } }).length).toBe(1)
  })

  it('still answers after more schemas than it keeps', () => {
    for (let index = 0; index < 600; index++)
      validator.prepare({ type: 'object', properties: { [`p${index}`]: { type: 'string' } } })
    expect(validator.validate({ type: 'object', properties: { p0: { type: 'string' } } }, { p0: 1 }).length).toBe(1)
  })

  it('refuses a schema whose keywords have the wrong types', () => {
    expect(() => validator.prepare({ type: 'object', properties: { n: { type: 'number', minimum: 'one' } } })).toThrow(
      'The JSON Schema cannot be used',
    )
    expect(() => validator.prepare({ type: 'objekt' })).toThrow('The JSON Schema cannot be used')
  })
})

describe('checkSchema', () => {
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [
      `d${index}`,
      { anyOf: [{ $ref: `#/$defs/d${index + 1}` }, { $ref: `#/$defs/d${index + 1}` }] },
    ]),
  )

  it.each<[string, JsonObject, string]>([
    ['a keyword that is misspelt', { type: 'object', propertes: {} }, 'did you mean "properties"?'],
    ['a reference to the network', { $ref: 'https://example.com/schema.json' }, 'nothing is ever fetched'],
    ['a reference to a file', { $ref: 'file:///etc/passwd' }, 'nothing is ever fetched'],
    ['a reference to nothing', { $ref: '#/$defs/missing', $defs: {} }, 'a place in the same schema that exists'],
    ['an id, by which another schema could be meant', { $id: 'https://example.com/a' }, 'leave it out'],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, '2020-12'],
    [
      'a definition that doubles the work thirty times',
      { $ref: '#/$defs/d0', $defs: { ...doubling, d30: { type: 'string' } } },
      'could take too long',
    ],
    [
      'a recursion that doubles the work with every level',
      { type: 'array', anyOf: [{ items: { $ref: '#' } }, { items: { $ref: '#' } }] },
      'could take too long',
    ],
    ['an anchor that is itself', { $ref: '#a', $defs: { x: { $anchor: 'a', $ref: '#a' } } }, 'could take too long'],
    ['a reference to no anchor', { $ref: '#b', $defs: { x: { $anchor: 'a' } } }, 'that exists'],
    [
      'a definition that is itself',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      'could take too long',
    ],
    [
      'a long chain of references',
      {
        $ref: '#/$defs/d0',
        $defs: Object.fromEntries(
          Array.from({ length: 1500 }, (_, i) => [`d${i}`, i === 1499 ? {} : { $ref: `#/$defs/d${i + 1}` }]),
        ),
      },
      'could take too long',
    ],
    ['a pattern with a back reference', { type: 'string', pattern: '(a)\\1' }, 'back reference'],
    ['a pattern for names with look-ahead', { patternProperties: { '(?=a)': {} } }, 'look-around'],
    ['unique items without a bound', { type: 'array', uniqueItems: true }, 'needs "maxItems"'],
    [
      'a property named __proto__',
      JSON.parse('{"properties": {"__proto__": {"type": "string"}}}') as JsonObject,
      '"__proto__" cannot be the name',
    ],
    ['more than 64 KiB', { description: 'x'.repeat(70_000) }, 'at most 65536'],
  ])('refuses %s', (_title, schema, message) => {
    const problems = checkSchema(schema)
    expect(problems.map((problem) => `${problem.message} ${problem.hint ?? ''}`).join('\n')).toContain(message)
  })

  it('refuses a schema that is nested too deeply', () => {
    let schema: JsonObject = {}
    for (let level = 0; level < 5000; level++) schema = { not: schema }
    expect(checkSchema(schema)).toMatchObject([{ message: 'the schema is nested more than 32 deep' }])
    expect(() => createSchemaValidator().prepare(schema)).toThrow('nested more than 32 deep')
  })

  it.each<[string, JsonObject]>([
    ['a binary tree', { type: 'object', properties: { left: { $ref: '#' }, right: { $ref: '#' } } }],
    [
      'alternatives of objects',
      {
        oneOf: [{ properties: { a: { $ref: '#/$defs/v' } } }, { properties: { b: { $ref: '#/$defs/v' } } }],
        $defs: { v: { type: 'string' } },
      },
    ],
    ['unique items with a bound', { type: 'array', uniqueItems: true, maxItems: 100 }],
    ['an anchor', { properties: { a: { $ref: '#text' } }, $defs: { x: { $anchor: 'text', type: 'string' } } }],
    ['extensions', { type: 'object', 'x-order': 1 }],
    [
      'a property named as a keyword is not',
      { type: 'object', properties: { propertes: { type: 'string' }, $id: { type: 'string' } } },
    ],
  ])('accepts %s', (_title, schema) => {
    expect(checkSchema(schema)).toEqual([])
    createSchemaValidator().prepare(schema)
  })
})
