import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toolEntry } from '../support/echo-entries.ts'
import { startHarness } from '../support/http-harness.ts'
import { sendBytes } from '../support/raw-socket.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

// A request is authenticated by its headers, and its body may follow much later: a key must not outlive its
// revocation in between. Sessions of older clients are kept, so what a client tells of itself must be small.

let test: TestApp
let port: number

beforeAll(async () => {
  test = await startTestApp()
  await test.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: writer\n',
    'policies/demo.cedar': 'permit (principal, action == Action::"call", resource);',
    'services/math/one.py': 'def one() -> int:\n    """One."""\n    return 1\n',
  })
  port = Number(new URL(test.app.url).port)
})
afterAll(() => test.close())

const body = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: {
    name: 'math-one',
    arguments: {},
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'slow', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  },
})

function headers(key: string, length: number, to = port): string {
  return [
    'POST /mcp/demo HTTP/1.1',
    `Host: 127.0.0.1:${to}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'MCP-Protocol-Version: 2026-07-28',
    'Mcp-Method: tools/call',
    'Mcp-Name: math-one',
    // The server says that it has seen the headers before the body is sent: no guess about time is needed.
    'Expect: 100-continue',
    `Content-Length: ${length}`,
    'Connection: close',
    '',
    '',
  ].join('\r\n')
}

describe('a key that is revoked while the body of a request is on its way', () => {
  it('does not run the call; the same slow request with a key that stays good does', async () => {
    const key = await test.key('demo', 'writer')
    const slow = sendBytes(port, headers(key, body.length))
    await slow.until('100 Continue')
    await test.manage('demo', 'key.revoke', { namespace: 'demo', key: key.split('_')[1] ?? '' })
    slow.socket.write(body)
    const refused = await slow.closed
    expect(refused).toMatch(/HTTP\/1\.1 401/)
    expect(refused).not.toContain('structuredContent')

    const good = sendBytes(port, headers(await test.key('demo', 'writer'), body.length))
    await good.until('100 Continue')
    good.socket.write(body)
    expect(await good.closed).toContain('"structuredContent":{"result":1}')
  })
})

describe('without the second look of the pipeline', () => {
  it('the revoked key runs the call: the control', async () => {
    const one = toolEntry('math-one', () => ({
      status: 'ok',
      result: { content: [], structuredContent: { result: 1 } },
    }))
    const harness = await startHarness({ entries: [one] })
    try {
      const slow = sendBytes(harness.port, headers('alice-secret', body.length, harness.port))
      await slow.until('100 Continue')
      harness.credentials.delete('alice-secret')
      slow.socket.write(body)
      expect(await slow.closed).toContain('"structuredContent":{"result":1}')
    } finally {
      await harness.close()
    }
  })
})

describe('what a client of an older version tells of itself', () => {
  const initialize = (size: number) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: { experimental: { filler: 'x'.repeat(size) } },
      clientInfo: { name: 'c', version: '1' },
    },
  })

  it.each([
    [1_000, true],
    [1_000_000, false],
  ])('is kept for the session with %i characters: %s', async (size, opened) => {
    const response = await fetch(`${test.app.url}/mcp/demo`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await test.key('demo', 'writer')}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(initialize(size)),
    })
    expect(response.headers.has('mcp-session-id')).toBe(opened)
    await response.text()
  })
})
