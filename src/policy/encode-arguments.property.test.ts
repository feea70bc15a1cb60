import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../kernel/index.ts'
import { argumentType } from './argument-type.ts'
import { isAuthorized, preparseSchema } from './cedar.ts'
import { validationSchema } from './cedar-schema.ts'
import { encodeArguments } from './encode-arguments.ts'

const schema: JsonObject = {
  type: 'object',
  properties: {
    s: { type: 'string' },
    b: { type: 'boolean' },
    i: { type: 'integer' },
    n: { type: 'number' },
    list: { type: 'array', items: { type: 'number' } },
    o: { type: 'object', properties: { x: { type: 'integer' }, y: { type: ['string', 'null'] } }, required: ['x'] },
    __proto__: { type: 'string' },
  },
}
Object.defineProperty(schema.properties, '__proto__', { value: { type: 'string' }, enumerable: true })
const { type } = argumentType(schema)
const nothing = null

describe('turning arguments into Cedar values', () => {
  it("makes what Cedar accepts under the tool's schema, for any arguments that fit it", () => {
    expect(preparseSchema('test/encode', validationSchema(type))).toEqual({ type: 'success' })
    const fitting = fc.record(
      {
        s: fc.string({ unit: 'grapheme' }),
        b: fc.boolean(),
        i: fc.maxSafeInteger(),
        n: fc.oneof(
          fc.double({ noNaN: true, noDefaultInfinity: true }),
          fc.integer().map((value) => value / 10_000),
        ),
        list: fc.array(fc.integer().map((value) => value / 10)),
        o: fc.record({ x: fc.integer(), y: fc.option(fc.string({ unit: 'grapheme' })) }, { requiredKeys: ['x'] }),
        extra: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const unused = { calls_minute: 0, calls_day: 0, bytes_out_day: 0, spend_day: 0, running: 0 }
    fc.assert(
      fc.property(fitting, (args) => {
        const encoded = encodeArguments(args as JsonObject, type, nothing)
        if (!encoded.ok) throw new Error(encoded.fault)
        const answer = isAuthorized({
          principal: { type: 'Agent', id: 'a' },
          action: { type: 'Action', id: 'call' },
          resource: { type: 'Tool', id: 't' },
          context: {
            args: { ...encoded.value },
            authn: {
              actors: [],
              age_seconds: 0,
              binding: 'none',
              client: '',
              issuer: '',
              method: 'x',
              sender_constrained: false,
            },
            door: 'tool',
            operation: '',
            labels: [],
            approved: false,
            usage: { agent: unused, tool: unused },
            facts: {},
            hour: 1,
            weekday: 1,
            time: { __extn: { fn: 'datetime', arg: '2026-09-02' } },
            address: { __extn: { fn: 'ip', arg: '::' } },
          },
          policies: { staticPolicies: 'permit (principal, action, resource);' },
          entities: [],
          schema: validationSchema(type),
          validateRequest: true,
        })
        expect(answer).toMatchObject({ type: 'success', response: { decision: 'allow' } })
      }),
      { numRuns: 150 },
    )
  })
})
