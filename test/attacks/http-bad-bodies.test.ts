import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { sendRaw, startHarness, type Harness, type HarnessOptions, type RawAnswer } from '../support/http-harness.ts'
import { callModern, modernMeta, modernRequest } from '../support/mcp-messages.ts'
import { sendBytes, statusesIn } from '../support/raw-socket.ts'

// P5 of design/threats.md: bodies and requests made to break the reader, and requests that two readers read in two ways.

let harness: Harness
afterEach(() => harness.close())

async function start(config: HarnessOptions['config'] = {}): Promise<Harness> {
  harness = await startHarness({ entries: [echoEntry()], config })
  return harness
}

const rightHeaders = modernRequest('tools/call', { name: 'echo' }).headers
const post = (body: string): Promise<RawAnswer> =>
  sendRaw(harness.port, { method: 'POST', path: '/mcp/demo', headers: rightHeaders, body })
const withArguments = (args: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":${args},"_meta":${JSON.stringify(modernMeta())}}}`
const head = (more: string): string =>
  `POST /mcp/demo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice-secret\r\nContent-Type: application/json\r\n${more}\r\n`

describe('a body', () => {
  it(
    verifies(
      'body-limit',
      'over the limit is 413, by its announced length or by what arrives, and the connection is closed',
    ),
    async () => {
      const { port } = await start({ maxBodyBytes: 1024 })
      const over = withArguments(JSON.stringify({ text: 'x'.repeat(2000) }))
      expect((await post(over)).status).toBe(413)
      const announced = await sendBytes(port, head('Content-Length: 1000000000\r\n')).closed
      expect(statusesIn(announced)).toEqual([413])
      const chunk = `400\r\n${'x'.repeat(0x400)}\r\n`
      const streamed = await sendBytes(port, head('Transfer-Encoding: chunked\r\n') + chunk.repeat(64)).closed
      expect(statusesIn(streamed)).toEqual([413])
      await harness.close()
      await start()
      expect((await post(over)).text).toContain('alice said')
    },
  )

  it(verifies('strict-json', 'nested too deep is 400, at any size'), async () => {
    await start()
    const deep = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)
    expect((await post(withArguments(deep(20)))).text).toContain('alice said')
    for (const levels of [64, 1000, 1_000_000]) {
      const answer = await post(withArguments(deep(levels)))
      expect([levels, answer.status, (answer.json.error as JsonObject).code]).toEqual([levels, 400, -32700])
    }
    await harness.close()
    await start({ maxJsonDepth: 256 })
    expect((await post(withArguments(deep(100)))).text).toContain('alice said')
  })

  it.each([
    ['a member twice', withArguments('{"to":"good","to":"evil"}')],
    ['a tool named twice', withArguments('{}').replace('"name":"echo"', '"name":"echo","name":"other"')],
    ['__proto__', withArguments('{"__proto__":{"isAdmin":true}}')],
    ['half of a surrogate pair', withArguments(String.raw`{"text":"\ud800"}`)],
    ['half a body', withArguments('{}').slice(0, -3)],
    ['bytes after the end', `${withArguments('{}')}{}`],
  ])(verifies('strict-json', 'with %s is 400 and says so'), async (_what, body) => {
    await start()
    const answer = await post(body)
    expect([answer.status, (answer.json.error as JsonObject).code]).toEqual([400, -32700])
    expect(answer.text).not.toMatch(/\.ts|node:|at .*\(/)
    expect((await post(withArguments('{"to":"good"}'))).text).toContain('alice said')
  })

  it(verifies('no-batches', 'with a batch is 400'), async () => {
    await start()
    const answer = await post(`[${withArguments('{}')},${withArguments('{}')}]`)
    expect([answer.status, answer.json]).toEqual([
      400,
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: expect.stringContaining('Batches') } },
    ])
  })

  it('that is compressed is not unpacked', async () => {
    const { port } = await start()
    const answer = await sendRaw(port, {
      method: 'POST',
      path: '/mcp/demo',
      headers: [...rightHeaders, 'Content-Encoding', 'gzip'],
      body: withArguments('{}'),
    })
    expect(answer.status).toBe(415)
  })
})

describe('a credential', () => {
  it('sent twice is refused, whichever is good', async () => {
    const { port } = await start()
    const { path, headers, body } = modernRequest('tools/call', { name: 'echo' }, { headers: { Authorization: null } })
    const good = ['Authorization', 'Bearer alice-secret']
    const bad = ['Authorization', 'Bearer other']
    for (const doubled of [
      [...good, ...bad],
      [...bad, ...good],
      [...good, ...good],
    ]) {
      expect((await sendRaw(port, { method: 'POST', path, headers: [...headers, ...doubled], body })).status).toBe(401)
    }
    expect((await sendRaw(port, { method: 'POST', path, headers: [...headers, ...good], body })).status).toBe(200)
  })

  it('in the query or a cookie is none', async () => {
    const { port } = await start()
    const { headers, body } = modernRequest('tools/call', { name: 'echo' }, { headers: { Authorization: null } })
    const query = '?access_token=alice-secret&token=alice-secret&api_key=alice-secret'
    const answer = await sendRaw(port, {
      method: 'POST',
      path: `/mcp/demo${query}`,
      headers: [...headers, 'Cookie', 'token=alice-secret'],
      body,
    })
    expect(answer.status).toBe(401)
  })
})

describe('a request that two readers read in two ways', () => {
  it.each([
    ['both a length and chunks', head('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n') + '0\r\n\r\n'],
    ['two lengths', head('Content-Length: 2\r\nContent-Length: 4\r\n') + '{}{}'],
    ['a length that is no number', head('Content-Length: +2\r\n') + '{}'],
    ['an unknown transfer coding', head('Transfer-Encoding: xchunked\r\n') + '0\r\n\r\n'],
    ['a space before the colon', head('Transfer-Encoding : chunked\r\nContent-Length: 2\r\n') + '{}'],
    ['a folded header', head('X-A: b\r\n c\r\nContent-Length: 2\r\n') + '{}'],
    ['a bare line feed in a header', head('X-A: b\nX-B: c\r\nContent-Length: 2\r\n') + '{}'],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
  ])('because of %s is 400 and ends the connection', async (_what, bytes) => {
    const { port } = await start()
    const received = await sendBytes(port, bytes).closed
    expect(statusesIn(received)).toEqual([400])
    expect(statusesIn(await sendBytes(port, `${head('Connection: close\r\nContent-Length: 2\r\n')}{}`).closed)).toEqual(
      [400],
    )
    expect((await callModern(port, 'tools/list')).status).toBe(200)
  })

  it('has no second request hidden in its body', async () => {
    const { port } = await start({ maxBodyBytes: 1024 })
    const hidden = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
    // 401, 415, 413: the body is left unread, and nothing in it may be taken for the next request.
    const refused = [
      `POST /mcp/demo HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      `POST /mcp/demo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer alice-secret\r\nContent-Type: text/plain\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      head('Content-Length: 100000\r\n') + hidden,
    ]
    const statuses: number[][] = []
    for (const bytes of refused) statuses.push(statusesIn(await sendBytes(port, bytes).closed))
    expect(statuses).toEqual([[401], [415], [413]])
    const sent = sendBytes(port, hidden + hidden)
    await sent.until('"refusing":[]}HTTP/1.1 200')
    sent.socket.destroy()
  })
})

describe('a client that takes its time', () => {
  it('with its headers is cut off', async () => {
    const { port } = await start({ headersTimeoutMs: 300 })
    const received = await sendBytes(port, 'POST /mcp/demo HTTP/1.1\r\nHost: localhost\r\nX-A: ').closed
    expect(statusesIn(received)).toEqual([408])
  })

  it('with its body is cut off', async () => {
    const { port } = await start({ headersTimeoutMs: 200, requestTimeoutMs: 400 })
    const received = await sendBytes(port, `${head('Content-Length: 1000\r\n')}{"jsonrpc"`).closed
    expect(statusesIn(received)).toEqual([408])
  })

  it('is not cut off where there is time', async () => {
    const { port } = await start()
    const sent = sendBytes(port, head('Connection: close\r\nContent-Length: 2\r\n'))
    await new Promise((resolve) => sent.socket.once('connect', resolve))
    sent.socket.write('{}')
    expect(statusesIn(await sent.closed)).toEqual([400])
  })

  it('cannot send headers without end', async () => {
    const { port } = await start()
    const received = await sendBytes(
      port,
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    ).closed
    expect(statusesIn(received)).toEqual([431])
  })
})
