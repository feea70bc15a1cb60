import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../kernel/index.ts'
import { callBinding } from './call-binding.ts'

const key = new Uint8Array(32).fill(7)
type Bound = Parameters<typeof callBinding>[1]

const call: Bound = {
  namespace: 'demo',
  requester: { type: 'agent', id: 'demo/helper', actors: ['demo/other'] },
  door: 'tool',
  tool: 'refund',
  service: 'payments',
  definitionHash: sha256('definition'),
  codeHash: sha256('code'),
  arguments: { order: 'a1', amount: 500, deep: { a: 1, b: [1, 2] } },
}

describe('the binding of a call', () => {
  it('is the same for the same call, in whatever order its members stand', () => {
    const turned = { deep: { b: [1, 2], a: 1 }, amount: 500, order: 'a1' }
    expect(callBinding(key, { ...call, arguments: turned })).toBe(callBinding(key, call))
    expect(callBinding(key, call)).toMatch(/^[0-9a-f]{64}$/)
  })

  it.each([
    ['namespace', { namespace: 'other' }],
    ['caller', { requester: { ...call.requester, id: 'demo/second' } }],
    ['kind of caller', { requester: { ...call.requester, type: 'user' } }],
    ['actor', { requester: { ...call.requester, actors: [] } }],
    ['order of actors', { requester: { ...call.requester, actors: ['demo/other', 'demo/third'] } }],
    ['door', { door: 'code' }],
    ['tool', { tool: 'refunds' }],
    ['service', { service: 'payment' }],
    ['definition', { definitionHash: sha256('another') }],
    ['code', { codeHash: sha256('another') }],
    ['code that is none', { codeHash: null }],
    ['argument', { arguments: { ...call.arguments, amount: 501 } }],
    ['type of an argument', { arguments: { ...call.arguments, amount: '500' } }],
    ['argument more', { arguments: { ...call.arguments, note: null } }],
    ['order in a list', { arguments: { ...call.arguments, deep: { a: 1, b: [2, 1] } } }],
  ] as const)('is another one for another %s', (_what, part) => {
    expect(callBinding(key, { ...call, ...part } as Bound)).not.toBe(callBinding(key, call))
  })

  it('is another one under another key, so that nobody can test guesses', () => {
    expect(callBinding(new Uint8Array(32).fill(8), call)).not.toBe(callBinding(key, call))
  })

  it('is the same only for equal arguments', () => {
    const args = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
    fc.assert(
      fc.property(args, args, (left, right) => {
        const of = (given: unknown) => callBinding(key, { ...call, arguments: given as Bound['arguments'] })
        const copy: unknown = JSON.parse(JSON.stringify(left))
        expect(of(copy)).toBe(of(left))
        if (of(left) === of(right)) expect(JSON.parse(JSON.stringify(right))).toEqual(copy)
      }),
    )
  })
})
