import { describe, expect, it } from 'vitest'
import { verifies } from '../../../test/conformance/requirements.ts'
import type { JsonObject } from '../../kernel/index.ts'
import { missingCapabilities } from './client-capability.ts'

const form: JsonObject = { method: 'elicitation/create', params: { message: 'x', requestedSchema: {} } }
const url: JsonObject = {
  method: 'elicitation/create',
  params: { mode: 'url', message: 'x', url: 'https://example.org' },
}
const sampling: JsonObject = { method: 'sampling/createMessage', params: { messages: [] } }
const withTools: JsonObject = { method: 'sampling/createMessage', params: { messages: [], tools: [] } }
const roots: JsonObject = { method: 'roots/list' }

describe('missingCapabilities', () => {
  it.each([
    [form, { elicitation: {} }, null],
    [form, { elicitation: { form: {} } }, null],
    [form, { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    [form, {}, { elicitation: { form: {} } }],
    [url, { elicitation: {} }, { elicitation: { url: {} } }],
    [url, { elicitation: { url: {} } }, null],
    [sampling, { sampling: {} }, null],
    [sampling, {}, { sampling: {} }],
    [withTools, { sampling: {} }, { sampling: { tools: {} } }],
    [withTools, { sampling: { tools: {} } }, null],
    [roots, { roots: {} }, null],
    [roots, { sampling: {} }, { roots: {} }],
    [{ method: 'tools/call' }, { experimental: {} }, { experimental: {} }],
  ] as [JsonObject, JsonObject, JsonObject | null][])(
    verifies('capability-missing', 'for %j and a client with %j is %j'),
    (request, declared, missing) => {
      expect(missingCapabilities({ one: request }, declared)).toEqual(missing)
    },
  )

  it('gathers what all requests need', () => {
    expect(missingCapabilities({ a: form, b: url, c: sampling, d: roots }, {})).toEqual({
      elicitation: { form: {}, url: {} },
      sampling: {},
      roots: {},
    })
  })
})
