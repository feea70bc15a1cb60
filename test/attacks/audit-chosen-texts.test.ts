import { expect, it } from 'vitest'
import { openStorage } from '../../src/storage/index.ts'
import { systemClock, type JsonObject } from '../../src/kernel/index.ts'
import { textOutcome, toolEntry } from '../support/echo-entries.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

/**
 * The threat category "information flow" (design/threats.md): whoever asks puts a credential where records keep the
 * caller's words in the clear for long, so that whoever may read the log has it.
 */
// Put together here, so that this file holds nothing that looks like a credential.
const token = ['ghp', 'Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_')
/** Of no known form: what a schema says of it is all that tells. */
const pin = 'pelican-in-the-fog'

async function startWith(dataDirectory: string): Promise<{ test: TestApp; key: string }> {
  const input = {
    type: 'object',
    required: ['url'],
    properties: { url: { type: 'string' }, pin: { type: 'string', 'x-mcpworks-secret': true } },
  }
  const test = await startTestApp({
    dataDirectory,
    entries: [toolEntry('fetch', () => textOutcome('done'), 'demo', input)],
  })
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: crawler\n',
    'policies/a.cedar':
      'permit (principal, action == Action::"call", resource == Tool::"demo/fetch") when { context.facts.link.host != "" };',
    'policies/facts.yaml': 'facts:\n  fetch:\n    link: { extract: url, from: url }\n',
  })
  return { test, key: await test.key('demo', 'crawler') }
}

/** A call with these words wherever a caller may choose words. */
async function ask(
  { test, key }: { test: TestApp; key: string },
  words: string,
  tool: string,
  args: JsonObject,
  trace: string,
): Promise<void> {
  const response = await fetch(`${test.app.url}/mcp/demo`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'user-agent': words,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': tool,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: words,
      method: 'tools/call',
      params: {
        name: tool,
        arguments: args,
        _meta: {
          traceparent: trace,
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: words, version: '1' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  })
  await response.text()
}

it('takes credentials out of all that a caller chooses, and leaves what is none', async () => {
  const dataDirectory = `${temporaryDirectory()}/data`
  const server = await startWith(dataDirectory)
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await ask(server, 'cursor', 'fetch', { url: 'https://example.org/pages', pin }, trace)
  await ask(server, `key ${token}`, 'fetch', { url: `https://${pin}.example.org/${token}`, pin }, `00-${token}`)
  await ask(server, `key ${token}`, `get.${token}`, {}, trace)
  const comment = `because ${token}`
  await server.test.manage('demo', 'hold.place', { namespace: 'demo', subject: 'demo/crawler', reason: comment })
  await server.test.close()

  const storage = await openStorage({ dataDirectory, clock: systemClock })
  const records = await storage.decisionLog.read({ namespace: 'demo', limit: 1000 })
  await storage.close()
  const texts = records.map(({ json }) => json)
  expect(texts.filter((text) => text.includes(token))).toEqual([])
  const decisions = records.filter(({ kind, json }) => kind === 'decision' && json.includes('"tools/call"'))
  const [plain, secret, unknown] = decisions.map(({ json }) => JSON.parse(json) as Decision)
  expect(plain).toMatchObject({
    trace,
    mcp: { json_rpc_id: 'cursor' },
    pre: { client: { claimed_name: 'cursor 1' }, derived: { facts: { link: { host: 'example.org' } } } },
  })
  expect(secret).toMatchObject({
    trace: null,
    mcp: { json_rpc_id: 'key [redacted github-token]' },
    pre: { client: { claimed_name: 'key [redacted github-token] 1' } },
  })
  expect(JSON.stringify(secret?.pre)).not.toContain(pin)
  expect(JSON.stringify(secret?.pre.derived)).toContain('[redacted]')
  expect(unknown?.pre.target).toMatchObject({ tool: 'get.[redacted github-token]' })
  expect(texts.some((text) => text.includes('because [redacted github-token]'))).toBe(true)
})

interface Decision {
  readonly trace: string | null
  readonly pre: JsonObject
}
