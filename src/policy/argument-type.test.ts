import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { JsonObject, JsonValue } from '../kernel/index.ts'
import { argumentType, type CedarType } from './argument-type.ts'
import { validationSchema } from './cedar-schema.ts'
import { preparseSchema } from './cedar.ts'

interface Case {
  readonly schema: JsonValue
  readonly required?: boolean
  readonly type?: string
  readonly hidden?: string
}

const cases = parse(readFileSync(new URL('argument-type.cases.yaml', import.meta.url), 'utf8')) as Case[]

const $defs: JsonObject = {
  state: { type: 'string' },
  page: {
    type: 'object',
    properties: { limit: { type: 'integer' }, state: { $ref: '#/$defs/state' } },
    required: ['state'],
  },
  tree: {
    type: 'object',
    properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
  },
  loop: { $ref: '#/$defs/loop' },
  'a/b~c': { type: 'integer' },
}

function text(type: CedarType): string {
  switch (type.type) {
    case 'Extension':
      return type.name
    case 'Set':
      return `Set<${text(type.element)}>`
    case 'Record':
      return `{${Object.entries(type.attributes)
        .map(([name, attribute]) => `${name}: ${text(attribute)}${attribute.required ? '' : '?'}`)
        .join(', ')}}`
    default:
      return type.type
  }
}

describe('the type of an argument', () => {
  it.each(cases.map((one) => [JSON.stringify(one.schema), one] as const))(
    'of %s',
    (_, { schema, required = false, type, hidden }) => {
      const found = argumentType({ type: 'object', properties: { a: schema }, required: required ? ['a'] : [], $defs })
      const attribute = found.type.attributes.a
      expect(attribute === undefined ? undefined : `${text(attribute)}${attribute.required ? '' : '?'}`).toBe(type)
      expect(found.invisible.get('a')).toBe(hidden)
      expect(preparseSchema('test/argument-type', validationSchema(found.type))).toEqual({ type: 'success' })
    },
  )

  it('is an empty record where the schema is not that of an object', () => {
    for (const schema of [{}, { type: 'string' }, { type: ['object', 'array'] }, { $ref: '#' }] as JsonObject[]) {
      expect(argumentType(schema).type).toEqual({ type: 'Record', attributes: {} })
    }
  })

  it('has a bounded size whatever the schema', () => {
    const wide = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`p${index}`, { $ref: '#/$defs/next' }]))
    const next = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`q${index}`, { $ref: '#/$defs/last' }])),
    }
    const found = argumentType({ type: 'object', properties: wide, $defs: { next, last: { type: 'string' } } })
    expect(JSON.stringify(found.type).length).toBeLessThan(100_000)
    expect([...found.invisible.values()]).toContain('the schema is too large')
    let deep: JsonObject = { type: 'string' }
    for (let level = 0; level < 5_000; level += 1) deep = { type: 'object', properties: { in: deep } }
    expect(preparseSchema('test/argument-type', validationSchema(argumentType(deep).type))).toEqual({ type: 'success' })
  })
})
