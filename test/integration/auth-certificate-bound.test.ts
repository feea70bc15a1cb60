import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { verifies } from '../conformance/requirements.ts'
import { createCertificateAuthority, type IssuedCertificate } from '../support/certificate-authority.ts'
import { claimsOf } from '../support/code-flow.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { accessTokenType, grants } from '../support/federated-app.ts'
import { modernRequest } from '../support/mcp-messages.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const authority = createCertificateAuthority()
const server = authority.issue(['mcp.example'])
const mine = authority.issue(['client.example'])
const another = authority.issue(['client.example'])
const publicUrl = 'https://mcp.example'
const resource = `${publicUrl}/mcp/demo`

const directory = mkdtempSync(join(tmpdir(), 'mcpworks-test-'))
const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

function start(clientCertificates: 'any' | 'off'): Promise<TestApp> {
  return startTestApp({
    entries: [echoEntry()],
    settings: {
      'http.publicUrl': publicUrl,
      'http.tls.certificateFile': file('server.pem', server.certificate),
      'http.tls.keyFile': file('server.key', server.key),
      'http.tls.clientCertificates': clientCertificates,
    },
  })
}

let app: TestApp
let plain: TestApp
let client: { readonly id: string; readonly secret: string }
beforeAll(async () => {
  app = await start('any')
  plain = await start('off')
  await app.apply('demo', {
    'namespace.yaml': 'namespace: demo\nagents:\n  - name: robot\n',
    'policies/all.cedar': 'permit (principal, action == Action::"call", resource);',
  })
  const made = await app.manage('demo', 'client.create', { namespace: 'demo', agent: 'robot' })
  client = { id: String((made.client as JsonObject).id), secret: String(made.clientSecret) }
})
afterAll(async () => {
  await app.close()
  await plain.close()
  rmSync(directory, { recursive: true, force: true })
})

interface Sent {
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  readonly body: string
}

/** Sends over a connection of its own, with a client certificate where one is given. */
async function send(to: TestApp, sent: Sent, certificate: IssuedCertificate | null) {
  const outgoing = request({
    host: '127.0.0.1',
    port: new URL(to.app.url).port,
    servername: 'mcp.example',
    ca: authority.certificate,
    ...(certificate === null ? {} : { cert: certificate.certificate, key: certificate.key }),
    agent: new Agent({ keepAlive: false }),
    method: sent.method,
    path: sent.path,
    headers: ['Host', 'mcp.example', 'Content-Length', String(Buffer.byteLength(sent.body)), ...sent.headers],
    setHost: false,
  })
  outgoing.end(sent.body)
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, text: Buffer.concat((await answer.toArray()) as Buffer[]).toString() }
}

/** Asks the token endpoint as the client of the agent. */
async function token(certificate: IssuedCertificate | null, parameters: Readonly<Record<string, string>> = {}) {
  const form = {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
    resource,
    ...parameters,
  }
  const headers = ['Content-Type', 'application/x-www-form-urlencoded']
  const body = new URLSearchParams(form).toString()
  const { text } = await send(app, { method: 'POST', path: '/oauth/token', headers, body }, certificate)
  return JSON.parse(text) as JsonObject
}

async function call(accessToken: unknown, certificate: IssuedCertificate | null): Promise<number | undefined> {
  const asked = modernRequest(
    'tools/call',
    { name: 'echo', arguments: { text: 'hello' } },
    { credential: String(accessToken) },
  )
  return (await send(app, { method: 'POST', ...asked }, certificate)).status
}

it(verifies('as-certificate-bound', 'binds a token asked for with a certificate to it, and to no other'), async () => {
  const answer = await token(mine)
  expect(answer).toMatchObject({ token_type: 'Bearer' })
  expect(claimsOf(answer.access_token)).toMatchObject({ cnf: { 'x5t#S256': mine.thumbprint } })
  expect(await call(answer.access_token, mine)).toBe(200)
  expect(await call(answer.access_token, another)).toBe(401)
  expect(await call(answer.access_token, null)).toBe(401)
})

it('binds a token asked for without one to nothing', async () => {
  const { access_token: unbound } = await token(null)
  expect(claimsOf(unbound)).not.toHaveProperty('cnf')
  expect(await call(unbound, null)).toBe(200)
  expect(await call(unbound, another)).toBe(200)
})

it(
  verifies('exchange-bound', 'takes it for another by the same certificate only, which binds that one too'),
  async () => {
    const { access_token: first } = await token(mine)
    const exchange = {
      grant_type: grants.exchange,
      subject_token: String(first),
      subject_token_type: accessTokenType,
      actor_token: String(first),
      actor_token_type: accessTokenType,
    }
    expect(await token(another, exchange)).toMatchObject({ error: 'invalid_request' })
    expect(await token(null, exchange)).toMatchObject({ error: 'invalid_request' })
    const { access_token: second } = await token(mine, exchange)
    expect(claimsOf(second)).toMatchObject({ cnf: { 'x5t#S256': mine.thumbprint } })
    expect([await call(second, mine), await call(second, another)]).toEqual([200, 401])
  },
)

it('lets an agent in that takes only tokens bound to a key', async () => {
  await app.app.registry.update('demo/robot', { senderConstrainedOnly: true })
  expect(await token(null)).toMatchObject({ error: 'invalid_grant' })
  expect(await call((await token(mine)).access_token, mine)).toBe(200)
  await app.app.registry.update('demo/robot', { senderConstrainedOnly: false })
})

it(
  verifies('as-metadata', 'says that tokens can be bound to certificates where they can, and nothing where not'),
  async () => {
    const read = async (from: TestApp): Promise<unknown> => {
      const path = '/.well-known/oauth-authorization-server'
      const { text } = await send(from, { method: 'GET', path, headers: [], body: '' }, null)
      return (JSON.parse(text) as JsonObject).tls_client_certificate_bound_access_tokens
    }
    expect([await read(app), await read(plain)]).toEqual([true, undefined])
  },
)
