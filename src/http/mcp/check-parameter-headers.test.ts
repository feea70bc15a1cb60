import { describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import type { RequestHead } from '../request-head.ts'
import { createParameterHeaderCheck } from './check-parameter-headers.ts'

const inputSchema: JsonObject = {
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    where: { properties: { limit: { type: 'integer', 'x-mcp-header': 'Limit' } } },
    list: { items: { 'x-mcp-header': 'Ignored' } },
  },
}
const check = createParameterHeaderCheck()
const run = (headers: Record<string, string>, given: JsonValue) =>
  check({ parameters: new Map(Object.entries(headers)) } as unknown as RequestHead, inputSchema, given)

describe('the check of headers that a tool declares', () => {
  it('takes equal ones, plain, in base64 or as numbers', () => {
    expect(run({ 'mcp-param-region': 'eu' }, { region: 'eu' })).toBeNull()
    expect(
      run({ 'mcp-param-region': `=?base64?${Buffer.from('zürich').toString('base64')}?=` }, { region: 'zürich' }),
    ).toBeNull()
    expect(run({ 'mcp-param-limit': '42.0' }, { where: { limit: 42 } })).toBeNull()
  })

  it('asks for none where the argument is not there, and ignores what no tool declares', () => {
    expect(run({}, {})).toBeNull()
    expect(run({ 'mcp-param-else': 'x' }, { list: ['y'] })).toBeNull()
  })

  it.each([
    ['a missing one', {}, { region: 'eu' }],
    ['another value', { 'mcp-param-region': 'us' }, { region: 'eu' }],
    ['broken base64', { 'mcp-param-region': '=?base64?SGVsbG8?=' }, { region: 'Hello' }],
    ['a missing one further down', {}, { where: { limit: 1 } }],
    ['another number', { 'mcp-param-limit': '2' }, { where: { limit: 1 } }],
  ])(verifies('parameter-headers', 'refuses %s with 400, -32020'), (_what, headers, given) => {
    expect(run(headers, given)).toMatchObject({ status: 400, code: -32020 })
  })
})
