import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verifies } from '../../conformance/requirements.ts'
import { createGuardedFetch, type ResolvedAddress } from '../../../src/egress/index.ts'
import { createCertificateAuthority } from '../../support/certificate-authority.ts'
import { redirectUri, startCodeFlow, type CodeFlow } from '../../support/code-flow.ts'
import type { BrowserAnswer } from '../../support/oauth-browser.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Clients that describe themselves by a document: whoever asks names the URL that this server then reads (I15), and
// whoever has a web page is a client. The twin of each refusal is the good document.

let app: TestApp
let web: Server
let port: number
let seen: string[]
let answer: (request: IncomingMessage, response: ServerResponse) => void

const hosts: Record<string, readonly string[]> = {
  'client.example': ['127.0.0.1'],
  'inside.example': ['10.0.0.7'],
  'metadata.example': ['169.254.169.254'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'sixtofour.example': ['2002:7f00:1::'],
  'local6.example': ['fe80::1'],
  'mixed.example': ['127.0.0.1', '10.0.0.7'],
}

async function resolve(name: string): Promise<readonly ResolvedAddress[]> {
  return (hosts[name] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}

beforeAll(async () => {
  const authority = createCertificateAuthority()
  const { certificate, key } = authority.issue(Object.keys(hosts))
  web = createServer({ cert: certificate, key }, (request, response) => {
    seen.push(`${request.headers.host ?? ''}${request.url ?? ''}`)
    answer(request, response)
  })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  port = (web.address() as AddressInfo).port
  app = await startTestApp({
    guardedFetch: createGuardedFetch({ resolve, certificateAuthorities: [authority.certificate] }),
    settings: {
      'auth.server.clientDocumentNetworks': '127.0.0.1/32',
      'auth.server.refusedClientHosts': 'refused.example,*.evil.example',
    },
  })
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: other\n' })
})
afterAll(async () => {
  await app.close()
  web.closeAllConnections()
  web.close()
})
beforeEach(() => {
  seen = []
})

let counter = 0
/** A URL that was not asked for before: documents are kept for a while. */
function urlOf(host = 'client.example'): string {
  counter += 1
  return `https://${host}:${port}/clients/${counter}.json`
}

function serve(url: string, change: Record<string, unknown> = {}, headers: Record<string, string> = {}): void {
  const document = {
    client_id: url,
    client_name: 'Web client',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    ...change,
  }
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(document))
  }
}

async function askFor(clientId: string): Promise<{ flow: CodeFlow; page: BrowserAnswer }> {
  const flow = await startCodeFlow(app, { clientId })
  return { flow, page: await flow.ask() }
}

/** Whether the client was refused, and the browser sent nowhere. */
const isUnknown = ({ page }: { page: BrowserAnswer }): boolean =>
  page.status === 400 && page.location === null && page.text.includes('invalid_client')

describe('a client document', () => {
  it(
    verifies('as-client-documents', 'lets a client in that nobody set up, under the host that it was read from'),
    async () => {
      const url = urlOf()
      serve(url)
      const { flow, page } = await askFor(url)
      expect(page.text).toContain(`calls itself so; described at client.example:${port}, not verified otherwise`)
      const tokens = await flow.tokens()
      expect(tokens.status).toBe(200)
      expect(seen).toHaveLength(1)
    },
  )

  it.each([
    ['another client_id', { client_id: 'https://client.example/other' }],
    ['a secret', { client_secret: 'x' }],
    ['a method with a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['no redirect', { redirect_uris: [] }],
    ['only a redirect with a scheme of its own', { redirect_uris: ['com.example.app:/cb'] }],
    ['only a redirect over plain http', { redirect_uris: ['http://client.example/cb'] }],
    ['redirects that are none', { redirect_uris: 'http://127.0.0.1:9/callback' }],
    ['keys to be read from nowhere', { token_endpoint_auth_method: 'private_key_jwt' }],
  ])('with %s is none', async (_what, change) => {
    const url = urlOf()
    serve(url, change)
    expect(isUnknown(await askFor(url))).toBe(true)
  })

  it.each([
    ['a redirect', 302, { location: 'https://client.example/' }, '{}'],
    ['an error', 500, {}, '{}'],
    ['no JSON', 200, {}, '<html>'],
    ['no object', 200, {}, '[]'],
    ['too long', 200, {}, `{"a":"${'x'.repeat(20_000)}"}`],
    ['compressed', 200, { 'content-encoding': 'gzip' }, '{}'],
  ])('that is %s is none', async (_what, status, headers, body) => {
    answer = (_request, response) => {
      response.writeHead(status, headers)
      response.end(body)
    }
    expect(isUnknown(await askFor(urlOf()))).toBe(true)
    expect(seen).toHaveLength(1)
  })

  it('is asked for once in a while, good or not, however often it is named', async () => {
    const [good, bad] = [urlOf(), urlOf()]
    serve(good)
    await Promise.all([askFor(good), askFor(good)])
    serve(bad, { client_id: 'other' })
    await Promise.all([askFor(bad), askFor(bad)])
    serve(bad)
    expect(isUnknown(await askFor(bad))).toBe(true)
    expect(seen).toHaveLength(2)
  })

  it('cannot hide what it calls itself behind characters that turn text around', async () => {
    const url = urlOf()
    serve(url, { client_name: 'Good\u202Elive\u0000 \u200B client'.padEnd(100, '!') })
    const { page } = await askFor(url)
    expect(page.text).toContain('Good live client!')
    for (const hidden of ['\u202E', '\u200B', '\u0000']) expect(page.text).not.toContain(hidden)
    expect(page.text).not.toContain('!'.repeat(60))
  })

  it('is not another’s consent: an equal name under another URL is asked for anew', async () => {
    const [mine, thief] = [urlOf(), urlOf()]
    const redirect = `https://client.example:${port}/cb`
    serve(mine, { redirect_uris: [redirect] })
    const flow = await startCodeFlow(app, { clientId: mine })
    await flow.code({ redirect_uri: redirect })
    expect((await flow.ask({ redirect_uri: redirect })).location).toContain('code=')
    serve(thief, { redirect_uris: [redirect] })
    const other = await startCodeFlow(app, { clientId: thief })
    expect((await other.ask({ redirect_uri: redirect })).location).toBeNull()
  })
})

describe('the URL of a document', () => {
  it.each(['inside', 'metadata', 'mapped', 'nat64', 'sixtofour', 'local6', 'mixed', 'unknown'])(
    'does not lead to addresses that are not public: %s.example',
    async (name) => {
      const url = urlOf(`${name}.example`)
      serve(url)
      expect(isUnknown(await askFor(url))).toBe(true)
      expect(seen).toEqual([])
    },
  )

  it.each([
    'http://client.example/c',
    'https://user@client.example/c',
    'https://client.example/c#f',
    'https://client.example/c?x=1',
    'https://client.example/',
    'https://client.example',
    'https://client.example/a/../c',
    'https://client.example/a/%2e%2e/c',
    'https://CLIENT.example/c',
    'https://client.example\\c',
    'https://refused.example/c',
    'https://a.evil.example/c',
    'https://[::1]/c',
    'https://2130706433/c',
    'file:///etc/passwd',
    'data:application/json,{}',
  ])('is not read where it is %s', async (url) => {
    expect(isUnknown(await askFor(url))).toBe(true)
    expect(seen).toEqual([])
  })
})
