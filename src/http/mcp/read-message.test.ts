import { describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { JsonValue } from '../../kernel/index.ts'
import { readMessage } from './read-message.ts'

describe('readMessage', () => {
  it('tells requests, notifications and responses apart', () => {
    expect(readMessage({ jsonrpc: '2.0', id: 'a', method: 'ping' })).toEqual({
      kind: 'request',
      id: 'a',
      method: 'ping',
      params: {},
    })
    expect(readMessage({ jsonrpc: '2.0', method: 'x', params: { y: 1 } })).toEqual({
      kind: 'notification',
      method: 'x',
      params: { y: 1 },
    })
    expect(readMessage({ jsonrpc: '2.0', id: 1, result: {} }).kind).toBe('response')
    expect(readMessage({ jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no' } }).kind).toBe('response')
  })

  it(verifies('no-batches', 'refuses a batch, empty or not'), () => {
    for (const batch of [[], [{ jsonrpc: '2.0', id: 1, method: 'ping' }]]) {
      expect(readMessage(batch)).toEqual({ kind: 'invalid', id: null, message: expect.stringContaining('Batches') })
    }
  })

  it.each([
    ['no object', 'ping', null],
    ['no version', { id: 1, method: 'ping' }, 1],
    ['version 1.0', { jsonrpc: '1.0', id: 1, method: 'ping' }, 1],
    ['the id null', { jsonrpc: '2.0', id: null, method: 'ping' }, null],
    ['a fractional id', { jsonrpc: '2.0', id: 1.5, method: 'ping' }, null],
    ['an object as id', { jsonrpc: '2.0', id: {}, method: 'ping' }, null],
    ['a very long id', { jsonrpc: '2.0', id: 'x'.repeat(257), method: 'ping' }, null],
    ['a method that is no text', { jsonrpc: '2.0', id: 1, method: 7 }, 1],
    ['params in an array', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }, 1],
    ['a _meta that is no object', { jsonrpc: '2.0', id: 1, method: 'ping', params: { _meta: 1 } }, 1],
    ['result and error', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } }, 1],
    ['neither method nor result', { jsonrpc: '2.0', id: 1 }, 1],
    ['an error without code', { jsonrpc: '2.0', id: 1, error: {} }, 1],
  ] as [string, JsonValue, string | number | null][])(
    'refuses %s, with the id where it can be read',
    (_what, body, id) => {
      expect(readMessage(body)).toEqual({ kind: 'invalid', id, message: expect.any(String) })
    },
  )
})
