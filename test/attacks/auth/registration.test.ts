import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/kernel/index.ts'
import { redirectUri, startCodeFlow } from '../../support/code-flow.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Clients that register themselves: nobody vouches for them (RFC 7591 section 5). Off unless configured.

let off: TestApp
let app: TestApp
beforeAll(async () => {
  off = await startTestApp()
  app = await startTestApp({
    settings: { 'auth.server.registration': 'loopback', 'auth.server.registrationMaxClients': '3' },
  })
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: other\n' })
})
afterAll(async () => {
  await off.close()
  await app.close()
})

async function register(server: TestApp, metadata: unknown): Promise<{ status: number; json: JsonObject }> {
  const response = await fetch(`${server.app.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  })
  return { status: response.status, json: (await response.json()) as JsonObject }
}

describe('registration', () => {
  it('is off, and nowhere in the metadata, unless configured', async () => {
    expect((await register(off, { redirect_uris: [redirectUri] })).status).toBe(404)
    const metadata = async (server: TestApp): Promise<unknown> =>
      (await fetch(`${server.app.url}/.well-known/oauth-authorization-server`)).json()
    expect(await metadata(off)).not.toHaveProperty('registration_endpoint')
    expect(await metadata(app)).toMatchObject({ registration_endpoint: `${app.app.url}/oauth/register` })
  })

  it.each([
    [{ redirect_uris: ['https://evil.example/cb'] }],
    [{ redirect_uris: ['com.example.app:/cb'] }],
    [{ redirect_uris: ['http://evil.example/cb'] }],
    [{ redirect_uris: ['http://127.0.0.1@evil.example/cb'] }],
    [{ redirect_uris: [redirectUri, 'https://evil.example/cb'] }],
    [{ redirect_uris: Array.from({ length: 11 }, () => redirectUri) }],
    [{ redirect_uris: [] }],
    [{ redirect_uris: [redirectUri], jwks_uri: 'http://169.254.169.254/' }],
    [{ redirect_uris: [redirectUri], software_statement: 'x' }],
    [[]],
    ['text'],
  ])('takes no client that is %j', async (metadata) => {
    const { status, json } = await register(app, metadata)
    expect([status, json.client_id]).toEqual([400, undefined])
  })

  it('takes one on loopback, as a public client that people are warned of, and no more than it is to', async () => {
    const wanted = {
      redirect_uris: [redirectUri],
      client_name: '<b>Claims a lot</b>',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials', 'password'],
      scope: 'admin',
    }
    const { status, json } = await register(app, wanted)
    expect([status, json.token_endpoint_auth_method, json.client_secret]).toEqual([201, 'none', undefined])
    expect(json.grant_types).toEqual(['authorization_code', 'refresh_token'])
    const flow = await startCodeFlow(app, { clientId: String(json.client_id) })
    const page = await flow.ask()
    expect(page.text).toContain('it registered itself, and nobody has verified it')
    expect(page.text).toContain('&lt;b&gt;Claims a lot&lt;/b&gt;')
    expect((await flow.tokens()).status).toBe(200)
    const answers = [await register(app, wanted), await register(app, wanted), await register(app, wanted)]
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 503])
  })
})
