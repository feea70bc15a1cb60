import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createGuardedFetch,
  createWebFetch,
  publicAddressesOnly,
  type FetchPolicy,
  type ResolvedAddress,
} from '../../../src/egress/index.ts'
import { createCertificateAuthority } from '../../support/certificate-authority.ts'

// I3 and I15 of design/threats.md: whoever names a URL that this server fetches (an issuer, a client metadata document,
// an upstream) makes it reach what only it can reach, or hold it by size, time or redirects.

const loopback: FetchPolicy = {
  purpose: 'test',
  maxBytes: 1000,
  timeoutMs: 5000,
  allow: { networks: ['127.0.0.0/8'] },
}
const strict: FetchPolicy = { ...loopback, allow: publicAddressesOnly }

let server: Server
let origin: string
let seen: IncomingMessage[]
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request)
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  seen = []
  answer = (_, response) => response.end('canary')
})

const guardedFetch = createGuardedFetch()
const text = (body: Uint8Array): string => Buffer.from(body).toString('utf8')

describe('I15: a URL that leads inside', () => {
  it('is refused before anything is dialled, and reached where its network is listed or nothing guards', async () => {
    expect(await guardedFetch(origin, {}, strict)).toEqual({ ok: false, reason: 'address-refused' })
    expect(seen).toHaveLength(0)
    expect(await guardedFetch(origin, {}, loopback)).toMatchObject({ ok: true, status: 200 })
    // Negative control: what a server does that guards nothing.
    expect(await (await fetch(origin)).text()).toBe('canary')
  })

  it('by a name that changes its address between check and use is dialled at the address that was checked', async () => {
    const port = new URL(origin).port
    let asked = 0
    const rebinding = async (): Promise<readonly ResolvedAddress[]> => {
      asked += 1
      return asked === 1 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '127.0.0.2', family: 4 }]
    }
    const guarded = createGuardedFetch({ resolve: rebinding })
    const outcome = await guarded(`http://rebinding.example:${port}/`, {}, loopback)
    expect(outcome).toMatchObject({ ok: true })
    expect([asked, seen[0]?.socket.localAddress, seen[0]?.headers.host]).toEqual([
      1,
      '127.0.0.1',
      `rebinding.example:${port}`,
    ])
  })

  it('by a name with one address inside among public ones is refused', async () => {
    const guarded = createGuardedFetch({
      resolve: async () => [
        { address: '1.1.1.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    })
    const outcome = await guarded(`https://mixed.example/`, {}, strict)
    expect(outcome).toEqual({ ok: false, reason: 'address-refused' })
  })

  it.each([301, 302, 303, 307, 308])('by a redirect %i is not followed', async (status) => {
    answer = ({ url }, response) =>
      url === '/inside' ? response.end('canary') : response.writeHead(status, { Location: `${origin}/inside` }).end()
    expect(await guardedFetch(origin, {}, loopback)).toEqual({ ok: false, reason: 'redirect-refused' })
    expect(seen.map(({ url }) => url)).toEqual(['/'])
    expect(await (await fetch(origin)).text()).toBe('canary')
  })

  it('through a proxy of the environment is not taken', async () => {
    const before = { ...process.env }
    try {
      Object.assign(process.env, {
        HTTP_PROXY: origin,
        HTTPS_PROXY: origin,
        ALL_PROXY: origin,
        NODE_USE_ENV_PROXY: '1',
      })
      const guarded = createGuardedFetch({ resolve: async () => [{ address: '127.0.0.9', family: 4 }] })
      expect(await guarded('http://elsewhere.example:9/', {}, loopback)).toEqual({ ok: false, reason: 'unreachable' })
      expect(seen).toHaveLength(0)
    } finally {
      process.env = before
    }
  })
})

describe('an answer', () => {
  it('of exactly the bound is taken, and one byte more is refused, whatever Content-Length says', async () => {
    answer = (_, response) => response.end('a'.repeat(1000))
    expect(await guardedFetch(origin, {}, loopback)).toMatchObject({ ok: true })
    answer = (_, response) => response.end('a'.repeat(1001))
    expect(await guardedFetch(origin, {}, loopback)).toEqual({ ok: false, reason: 'too-large' })
    answer = (_, response) => {
      response.write('a'.repeat(600))
      response.end('a'.repeat(600))
    }
    expect(await guardedFetch(origin, {}, loopback)).toEqual({ ok: false, reason: 'too-large' })
  })

  it('without an end is cut at the bound', async () => {
    const closed = Promise.withResolvers<void>()
    answer = (request, response) => {
      const more = (): void => void response.write('a'.repeat(64 * 1024), (error) => error ?? setImmediate(more))
      request.socket.once('close', () => closed.resolve())
      more()
    }
    expect(await guardedFetch(origin, {}, loopback)).toEqual({ ok: false, reason: 'too-large' })
    await closed.promise
  })

  it.each(['gzip', 'br', 'deflate', 'zstd'])('in content coding %s is refused unread', async (coding) => {
    answer = (_, response) =>
      response.writeHead(200, { 'Content-Encoding': coding }).end(gzipSync(Buffer.alloc(900_000)))
    expect(await guardedFetch(origin, {}, { ...loopback, maxBytes: 10_000 })).toEqual({
      ok: false,
      reason: 'encoding-refused',
    })
    expect(seen[0]?.headers['accept-encoding']).toBe('identity')
  })

  it('that does not begin, or does not end, is given up in time', async () => {
    const closed = Promise.withResolvers<void>()
    answer = (request) => void request.socket.once('close', () => closed.resolve())
    const impatient = { ...loopback, firstByteTimeoutMs: 50 }
    expect(await guardedFetch(origin, {}, impatient)).toEqual({ ok: false, reason: 'timeout' })
    await closed.promise
    answer = (_, response) => void response.write('a')
    expect(await guardedFetch(origin, {}, { ...loopback, timeoutMs: 100 })).toEqual({ ok: false, reason: 'timeout' })
  })

  it('with an endless head is refused', async () => {
    answer = (_, response) => response.writeHead(200, { 'X-Long': 'a'.repeat(32 * 1024) }).end()
    expect(await guardedFetch(origin, {}, loopback)).toEqual({ ok: false, reason: 'malformed' })
  })

  it('is given up with the caller', async () => {
    const caller = new AbortController()
    answer = () => caller.abort()
    expect(await guardedFetch(origin, { signal: caller.signal }, loopback)).toEqual({ ok: false, reason: 'aborted' })
  })

  it('is not waited for by more than 16 requests of one purpose', async () => {
    const waiting: ServerResponse[] = []
    const allThere = Promise.withResolvers<void>()
    answer = (_, response) => {
      waiting.push(response)
      if (waiting.length === 16) allThere.resolve()
    }
    const first = Array.from({ length: 16 }, () => guardedFetch(origin, {}, loopback))
    await allThere.promise
    expect(await guardedFetch(origin, {}, loopback)).toEqual({ ok: false, reason: 'busy' })
    answer = (_, response) => response.end('canary')
    expect(await guardedFetch(origin, {}, { ...loopback, purpose: 'other' })).toMatchObject({ ok: true })
    for (const response of waiting) response.end()
    expect((await Promise.all(first)).every(({ ok }) => ok)).toBe(true)
    expect(await guardedFetch(origin, {}, loopback)).toMatchObject({ ok: true })
  })
})

describe('a request', () => {
  it.each(['Host', 'content-length', 'Transfer-Encoding', 'connection', 'Upgrade'])('cannot set %s', async (name) => {
    await expect(guardedFetch(origin, { headers: { [name]: 'x' } }, loopback)).rejects.toThrow(
      `the header ${name} is not for callers to set`,
    )
    expect(seen).toHaveLength(0)
  })

  it('cannot smuggle a line into a header', async () => {
    const outcome = await guardedFetch(origin, { headers: { 'X-Name': 'a\r\nX-Other: b' } }, loopback)
    expect([outcome.ok, seen.length]).toEqual([false, 0])
    expect(await guardedFetch(origin, { headers: { 'X-Name': 'a' } }, loopback)).toMatchObject({ ok: true })
  })

  it('carries method, headers and body, also in the form of the web', async () => {
    answer = (request, response) =>
      void request.toArray().then((chunks) => {
        const sent = Buffer.concat(chunks as Buffer[]).toString()
        response.end(`${request.method} ${String(request.headers['x-name'])} ${sent}`)
      })
    const direct = await guardedFetch(origin, { method: 'POST', headers: { 'X-Name': 'a' }, body: 'b=c' }, loopback)
    expect(direct.ok && text(direct.body)).toBe('POST a b=c')
    const web = createWebFetch(guardedFetch, loopback)
    const response = await web(new URL(origin), {
      method: 'POST',
      headers: { 'X-Name': 'a', 'Content-Length': '99' },
      body: new URLSearchParams({ b: 'c' }),
    })
    expect([response.status, await response.text()]).toEqual([200, 'POST a b=c'])
    await expect(createWebFetch(guardedFetch, strict)(origin)).rejects.toThrow('address-refused')
  })
})

describe('TLS', () => {
  const authority = createCertificateAuthority()
  const resolve = async (): Promise<readonly ResolvedAddress[]> => [{ address: '127.0.0.1', family: 4 }]
  const own = createGuardedFetch({ resolve, certificateAuthorities: [authority.certificate] })
  const names: string[] = []
  const { certificate, key } = authority.issue(['issuer.example'])
  const tls = createTlsServer({ cert: certificate, key }, (request, response) => {
    names.push((request.socket as { servername?: string }).servername ?? '')
    response.end('canary')
  })
  let port: number
  beforeAll(async () => {
    tls.listen(0, '127.0.0.1')
    await once(tls, 'listening')
    port = (tls.address() as AddressInfo).port
  })
  afterAll(() => void tls.close())

  it('is asked for the name of the URL at the checked address, and its certificate must have that name', async () => {
    expect(await own(`https://issuer.example:${port}/`, {}, loopback)).toMatchObject({ ok: true })
    expect(names).toEqual(['issuer.example'])
    const refused = { ok: false, reason: 'certificate-refused' }
    expect(await own(`https://other.example:${port}/`, {}, loopback)).toEqual(refused)
    expect(await createGuardedFetch({ resolve })(`https://issuer.example:${port}/`, {}, loopback)).toEqual(refused)
    expect(names).toHaveLength(1)
  })
})
