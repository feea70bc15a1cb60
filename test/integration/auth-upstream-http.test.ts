import { execFile } from 'node:child_process'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sessionCookieName } from '../../src/auth/people/cookies.ts'
import { browserOrigin } from '../../src/auth/people/browser-origin.ts'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { goAndConsent } from '../support/consenting-browser.ts'
import { startForeignIssuer, type ForeignIssuer } from '../support/foreign-issuer.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { startUpstreamServer, type UpstreamServer } from '../support/upstream-server.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const canary = 'canary-static-upstream-key'

let test: TestApp
let issuer: ForeignIssuer
let upstream: UpstreamServer
let keyed: UpstreamServer
let origin: string
let redirectUri: string

beforeAll(async () => {
  test = await startTestApp({ settings: { 'auth.upstream.networks': '127.0.0.0/8' } })
  await test.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: writer\n' })
  origin = browserOrigin(test.app.url).origin
  redirectUri = `${origin}/oauth/upstream/callback`
  issuer = await startForeignIssuer({
    clients: [
      {
        client_id: 'ours',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [redirectUri],
      },
    ],
    configuration: { features: { devInteractions: { enabled: true } }, issueRefreshToken: async () => true },
  })
  upstream = await startUpstreamServer({ issuer: issuer.issuer })
  keyed = await startUpstreamServer({ apiKey: canary })
})
afterAll(async () => {
  await test.close()
  await issuer.close()
  await upstream.close()
  await keyed.close()
})

/** Types `mcpworks upstream ...` as the operator. */
function upstreamCommand(
  args: readonly string[],
  input = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH ?? '', MCPWORKS_DATA_DIRECTORY: test.dataDirectory }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, 'upstream', ...args, '-n', 'demo'],
      { env },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end(input)
  })
}

/** A management operation on the namespace as the operator. */
const manage = (operation: string, input: JsonObject) => test.manage('demo', operation, { namespace: 'demo', ...input })

/** Id of the newest call of an operation in records. */
function callOf({ records }: JsonObject, operation: string): string {
  const all = Array.isArray(records) ? records : []
  const found = all.findLast((record) => JSON.stringify(record).includes(`"${operation}"`))
  return isJsonObject(found) ? String(found.call) : ''
}

async function signIn(userId: string): Promise<string> {
  const { token } = await test.app.people.sessions.begin({
    userId,
    method: 'password',
    address: '127.0.0.1',
    claimedName: null,
  })
  return `${sessionCookieName(browserOrigin(test.app.url))}=${token}`
}

interface Sent {
  readonly method?: string
  readonly body?: URLSearchParams
  readonly headers?: Record<string, string>
}

const visit = (path: string, cookie: string, { headers = {}, ...rest }: Sent = {}) =>
  fetch(`${origin}${path}`, { redirect: 'manual', ...rest, headers: { cookie, ...headers } })

const post = (path: string, cookie: string, fields: Record<string, string>, from = origin) =>
  visit(path, cookie, { method: 'POST', body: new URLSearchParams(fields), headers: { origin: from } })

const csrfIn = (page: string): string => /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? ''

/** Every file below the data directory, as bytes of one text. */
function everythingStored(directory: string): string {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

describe('a server with a fixed key', () => {
  it('is added, gets its secret by standard input, is checked and removed, and the secret is nowhere', async () => {
    const add = await upstreamCommand([
      'add',
      'keyed',
      '--url',
      keyed.url,
      '--method',
      'header',
      '--header',
      'X-Service-Key',
    ])
    expect(add).toMatchObject({ code: 0 })
    expect(await manage('upstream.check', { server: 'keyed' })).toMatchObject({ ok: false, reason: 'not-connected' })
    const set = await upstreamCommand(['set-secret', 'keyed'], `${canary}\n`)
    expect(set).toMatchObject({ code: 0, stdout: expect.stringContaining('sealed') })
    const checked = await upstreamCommand(['check', 'keyed'])
    expect(checked).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('OK: keyed took the credential (status 200)'),
    })
    expect(keyed.requests.at(-1)?.headers).toMatchObject({ 'x-service-key': canary })
    const listed = await manage('upstream.list', {})
    expect(listed).toMatchObject({ upstreams: [{ name: 'keyed', credentials: [{ status: 'connected' }] }] })
    expect(await manage('upstream.rotate-key', {})).toEqual({ epoch: 2, resealed: 1 })
    expect(await manage('upstream.check', { server: 'keyed' })).toMatchObject({
      ok: true,
      status: 200,
      server: 'upstream',
    })
    const shown = [add, set, checked].map(({ stdout, stderr }) => stdout + stderr).join('')
    expect(`${shown}${JSON.stringify(listed)}`).not.toContain(canary)
    const records = await manage('audit.tail', { limit: 200, reads: true })
    const call = callOf(records, 'upstream.set-secret')
    const why = JSON.stringify(await manage('audit.why', { call }))
    // What was asked is there, opened, without the secret.
    expect(why.replaceAll('\\"', '"')).toContain('"kind":"header"')
    expect(`${JSON.stringify(records)}${why}`).not.toContain(canary)
    expect(everythingStored(test.dataDirectory)).not.toContain(canary)
    expect(await manage('upstream.remove', { server: 'keyed' })).toEqual({ removed: 'keyed' })
    await expect(manage('upstream.check', { server: 'keyed' })).rejects.toThrow(/unknown_object/)
  })

  it('takes no secret as an argument', async () => {
    expect(await upstreamCommand(['set-secret', 'keyed', canary])).toMatchObject({ code: 2 })
  })
})

describe('connecting in the browser', () => {
  const page = '/oauth/upstream/connect/demo/tickets'
  let cookie: string
  beforeAll(async () => {
    const { code } = await upstreamCommand([
      'add',
      'tickets',
      '--url',
      upstream.url,
      '--client-id',
      'ours',
      '--scope',
      'mcp',
    ])
    expect(code).toBe(0)
    cookie = await signIn('operator')
  })

  it('goes from the page that the command names to the authorization server and back', async () => {
    const told = await upstreamCommand(['connect', 'tickets'])
    expect(told.stdout).toContain(`${origin}${page}`)
    const asked = await visit(page, cookie)
    expect(asked.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    const left = await post(page, cookie, { csrf: csrfIn(await asked.text()) })
    expect(left.status).toBe(200)
    const link = /href="([^"]+)"/.exec(await left.text())?.[1]?.replaceAll('&amp;', '&') ?? ''
    expect(link.startsWith(`${issuer.issuer}/auth?`)).toBe(true)
    const callback = await goAndConsent(link, redirectUri)
    const stranger = await visit(`${callback.pathname}${callback.search}`, '')
    expect(stranger.status).toBe(403)
    const arrived = await visit(`${callback.pathname}${callback.search}`, cookie)
    expect([arrived.status, await arrived.text()]).toEqual([200, expect.stringContaining('tickets is connected')])
    expect((await visit(`${callback.pathname}${callback.search}`, cookie)).status).toBe(400)
    expect(await manage('upstream.check', { server: 'tickets' })).toMatchObject({ ok: true, server: 'upstream' })
    const records = JSON.stringify(
      await test.manage('demo', 'audit.tail', { namespace: 'demo', limit: 200, reads: true }),
    )
    expect(records).toContain('upstream-connected')
    const state = callback.searchParams.get('state') ?? 'none'
    const code = callback.searchParams.get('code') ?? 'none'
    const stored = everythingStored(test.dataDirectory)
    for (const secret of [state, code]) expect(`${records}${stored}`).not.toContain(secret)
    expect(await manage('upstream.disconnect', { server: 'tickets' })).toEqual({ revoked: true })
  })

  it('sends who is not signed in to sign in', async () => {
    const answer = await visit(page, '')
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe(`/sign-in?return=${encodeURIComponent(page)}`)
  })

  it('refuses a form of another page or origin, and of another session', async () => {
    const csrf = csrfIn(await (await visit(page, cookie)).text())
    const other = await signIn('operator')
    expect((await post(page, cookie, {})).status).toBe(403)
    expect((await post(page, cookie, { csrf: 'x' })).status).toBe(403)
    expect((await post(page, cookie, { csrf }, 'https://evil.example')).status).toBe(403)
    expect((await post(page, other, { csrf })).status).toBe(403)
    expect((await post(page, cookie, { csrf })).status).toBe(200)
  })

  it('is refused to a person whose role does not cover it, who does not learn of the server either', async () => {
    await test.app.registry.addUser('viola', ['viewer'])
    const viola = await signIn('viola')
    const asked = await visit(page, viola)
    expect(asked.status).toBe(404)
    expect(await asked.text()).not.toContain(upstream.url)
    expect((await post(page, viola, { csrf: 'x' })).status).toBe(403)
  })

  it('begins no log for a namespace that is not there', async () => {
    const answer = await visit(page.replace('/demo/', '/nowhere/'), cookie)
    expect(answer.status).toBe(404)
    await expect(test.manage('nowhere', 'audit.tail', { namespace: 'nowhere' })).resolves.toMatchObject({ records: [] })
  })

  it('says who we are to authorization servers that take documents', async () => {
    const answer = await fetch(`${origin}/oauth/upstream/client.json`)
    expect(await answer.json()).toMatchObject({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' })
  })
})
