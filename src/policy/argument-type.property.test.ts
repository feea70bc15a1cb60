import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../kernel/index.ts'
import { argumentType } from './argument-type.ts'
import { validationSchema } from './cedar-schema.ts'
import { preparseSchema } from './cedar.ts'

describe('the type of an argument', () => {
  it('is one that Cedar takes, for any names and any schema', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.string(), fc.constantFrom('__proto__', '__extn', 'if', 'in', 'a"b', 'a b', '')),
          fc.jsonValue(),
        ),
        (properties) => {
          for (const schema of [{ type: 'object', properties: properties as JsonObject }, properties as JsonObject]) {
            const { type } = argumentType(schema)
            expect(preparseSchema('test/argument-type', validationSchema(type))).toEqual({ type: 'success' })
          }
          const typed = Object.fromEntries(Object.keys(properties).map((name) => [name, { type: 'string' }]))
          expect(
            preparseSchema(
              'test/argument-type',
              validationSchema(argumentType({ type: 'object', properties: typed }).type),
            ),
          ).toEqual({ type: 'success' })
        },
      ),
      { numRuns: 150 },
    )
  })
})
