/** I16: a credential that reaches somebody else. What is injected goes to one origin, alone, and never comes back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGuardedFetch, fetchWithCredential, type BoundCredential } from '../../../src/egress/index.ts'
import { startUpstreamServer, type UpstreamServer } from '../../support/upstream-server.ts'

const secret = 'canary-injected-secret'
const policy = { purpose: 'test', maxBytes: 65_536, timeoutMs: 5000, allow: { networks: ['127.0.0.1/32'] } }
const guardedFetch = createGuardedFetch()

let upstream: UpstreamServer
let elsewhere: UpstreamServer
let credential: BoundCredential
beforeAll(async () => {
  upstream = await startUpstreamServer({ apiKey: secret })
  elsewhere = await startUpstreamServer({ apiKey: secret })
})
afterAll(async () => {
  await upstream.close()
  await elsewhere.close()
})
beforeEach(() => {
  credential = { origin: upstream.origin, header: 'x-service-key', value: secret, secret }
})

const send = (url: string, headers: Record<string, string> = {}) =>
  fetchWithCredential(guardedFetch, credential, url, { method: 'POST', headers, body: '{}' }, policy)

describe('an injected credential', () => {
  it('reaches the server that it is for', async () => {
    expect(await send(upstream.url)).toMatchObject({ ok: true, status: 200 })
  })

  it('does not reach any other origin, however alike', async () => {
    const { port } = new URL(upstream.origin)
    for (const url of [
      elsewhere.url,
      `http://localhost:${port}/mcp`,
      `https://127.0.0.1:${port}/mcp`,
      `http://127.0.0.1:${port}@${new URL(elsewhere.origin).host}/mcp`,
      `http://127.0.0.1:${port}.evil.example/mcp`,
      `//127.0.0.1:${port}/mcp`,
      'not a url',
    ]) {
      expect([url, await send(url)]).toEqual([url, { ok: false, reason: 'origin-refused' }])
    }
    expect(JSON.stringify(elsewhere.requests)).not.toContain(secret)
  })

  it('does not follow a redirect', async () => {
    upstream.answer('/away', (_, response) => void response.writeHead(307, { location: elsewhere.url }).end())
    expect(await send(`${upstream.origin}/away`)).toEqual({ ok: false, reason: 'redirect-refused' })
    expect(elsewhere.requests).toHaveLength(0)
    // The negative control: who follows redirects loses it.
    await fetch(`${upstream.origin}/away`, { method: 'POST', headers: { 'x-service-key': secret } })
    expect(JSON.stringify(elsewhere.requests)).toContain(secret)
  })

  it('takes the place of whatever the caller sent to speak for somebody', async () => {
    const sent = {
      Authorization: 'Bearer callers-own',
      'X-SERVICE-KEY': 'forged',
      cookie: 'a=b',
      DPoP: 'proof',
      'x-kept': 'yes',
    }
    expect(await send(upstream.url, sent)).toMatchObject({ ok: true, status: 200 })
    const { headers } = upstream.requests.at(-1) ?? { headers: {} }
    expect(headers).toMatchObject({ 'x-service-key': secret, 'x-kept': 'yes' })
    expect(JSON.stringify(headers)).not.toMatch(/callers-own|forged|a=b|proof/)
  })

  it('is withheld with the answer that repeats it, in body or header', async () => {
    upstream.answer('/body', (_, response) => void response.end(`you sent ${secret}`))
    upstream.answer('/header', (_, response) => void response.writeHead(200, { 'x-echo': secret }).end())
    upstream.answer('/honest', (_, response) => void response.end('nothing of it'))
    expect(await send(`${upstream.origin}/body`)).toEqual({ ok: false, reason: 'secret-reflected' })
    expect(await send(`${upstream.origin}/header`)).toEqual({ ok: false, reason: 'secret-reflected' })
    expect(await send(`${upstream.origin}/honest`)).toMatchObject({ ok: true })
  })

  it('cannot carry a second header', async () => {
    credential = { ...credential, value: `x\r\nx-admin: yes` }
    expect(await send(upstream.url)).toEqual({ ok: false, reason: 'credential-refused' })
    credential = { ...credential, value: 'x', header: 'x-a: b' }
    expect(await send(upstream.url)).toEqual({ ok: false, reason: 'credential-refused' })
  })
})
