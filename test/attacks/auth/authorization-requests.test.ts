import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../../conformance/requirements.ts'
import { addApplication, claimsOf, post, redirectUri, startCodeFlow } from '../../support/code-flow.ts'
import type { BrowserAnswer } from '../../support/oauth-browser.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Authorization requests that try to send the code elsewhere or to weaken the flow (I3; RFC 9700 sections 2.1, 4.1,
// 4.4 and 4.8). Each list has its allowed twin beside it.

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: other\n' })
})
afterAll(() => app.close())

/** Whether the request was refused here, and the browser sent nowhere. */
function endsHere({ status, location, headers, text }: BrowserAnswer): boolean {
  if (status < 400 || status >= 500 || location !== null) return false
  return headers['set-cookie'] === undefined && !text.includes('<script')
}

/** Sent back to the client, which is told what was wrong. */
function errorOf(answer: BrowserAnswer): string | null {
  if (answer.location === null) return null
  const { origin, searchParams, hash } = new URL(answer.location)
  expect(origin).toBe('http://127.0.0.1:9')
  // Where the flow itself is refused, the answer takes the form that the flow would have had.
  return searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error')
}

describe('redirect URIs', () => {
  it.each([
    'http://evil.example/callback',
    'http://127.0.0.1:9/callback/../evil',
    'http://127.0.0.1:9/callback/',
    'http://127.0.0.1:9/callback?x=1',
    'http://127.0.0.1:9/callback#fragment',
    'http://127.0.0.1:9/Callback',
    'http://127.0.0.1:9@evil.example/callback',
    'http://user@127.0.0.1:9/callback',
    'http://user:pw@127.0.0.1:9/callback',
    'http://127.0.0.1.evil.example:9/callback',
    'http://localhost.evil.example/callback',
    'http://localhost:9/callback',
    'http://127.1:9/callback',
    'http://0x7f000001:9/callback',
    'http://[::1]:9/callback',
    'http://[::ffff:127.0.0.1]:9/callback',
    'https://127.0.0.1:9/callback',
    'http:\\\\127.0.0.1:9\\callback',
    'http://127.0.0.1:9\\@evil.example/callback',
    ' http://127.0.0.1:9/callback',
    'http://127.0.0.1:9/callback\r\nSet-Cookie: a=b',
    'http://127.0.0.1:9/callback%0d%0aSet-Cookie:%20a=b',
    '//evil.example/callback',
    ['javascript', 'alert(1)'].join(':'),
    'data:text/html,x',
    '',
  ])('are not %j, where that was not registered', async (uri) => {
    const flow = await startCodeFlow(app)
    expect(endsHere(await flow.browser.open(flow.authorizeUrl({ redirect_uri: uri })))).toBe(true)
  })

  it('are given once', async () => {
    const flow = await startCodeFlow(app)
    const twice = `${flow.authorizeUrl()}&redirect_uri=${encodeURIComponent('https://evil.example/')}`
    expect(endsHere(await flow.browser.open(twice))).toBe(true)
  })

  it(verifies('as-redirect-exact', 'on loopback may have any port, and nothing else of another kind'), async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask({ redirect_uri: 'http://127.0.0.1:51234/callback' })
    expect(page.text).toContain('http://127.0.0.1:51234')
    const answer = await flow.browser.submit(page, { decision: 'allow', agent: 'demo/anna-agent' })
    expect(answer.location).toMatch(/^http:\/\/127\.0\.0\.1:51234\/callback\?code=/)
  })

  it.each([
    'http://example.org/cb',
    'https://user@example.org/cb',
    'https://example.org/cb#f',
    'https://example.org/a/../cb',
    'HTTPS://example.org/cb',
    'https://example.org:443/cb',
    'https://example.org\\cb',
    'https://example.org/c b',
    'http://127.1/cb',
    'http://localhost.evil.example/cb',
    ['javascript', 'alert(1)'].join(':'),
    'vbscript:x',
    'data:text/html,x',
    'file:///etc/passwd',
    'relative',
    'https://exämple.org/cb',
  ])('cannot be registered as %j', async (uri) => {
    await expect(addApplication(app, [uri])).rejects.toThrow('redirect URI')
  })

  it.each([
    'https://example.org/cb?x=1',
    'http://[::1]/cb',
    'http://localhost:3000/cb',
    'com.example.app:/cb',
    'cursor://x/y',
  ])('can be registered as %j by an operator', async (uri) => {
    expect(await addApplication(app, [uri])).toMatch(/^app-/)
  })
})

describe('the flow cannot be weakened', () => {
  it.each([
    [{ code_challenge: null, code_challenge_method: null }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge_method: null }, 'invalid_request'],
    [{ code_challenge_method: 's256' }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
    [{ response_type: 'token' }, 'invalid_request'],
    [{ response_type: 'code id_token' }, 'invalid_request'],
    [{ response_type: 'none' }, 'unsupported_response_type'],
    [{ prompt: 'none' }, 'consent_required'],
    [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
    [{ resource: null }, 'invalid_target'],
    [{ resource: 'https://evil.example/mcp/demo' }, 'invalid_target'],
    [{ scope: 'openid', nonce: 'n' }, null],
  ])('by %j', async (parameters, error) => {
    const flow = await startCodeFlow(app)
    const answer = await flow.browser.open(flow.authorizeUrl(parameters))
    expect(errorOf(answer)).toBe(error)
    expect(new URL(answer.location ?? answer.url).searchParams.get('code')).toBeNull()
  })

  it(verifies('as-resource', 'nor by a resource of ours in another form, or two, or the management API'), async () => {
    const flow = await startCodeFlow(app)
    const { url } = app.app
    const wrong = [
      `${url}/mcp/demo/`,
      `${url}/mcp/demo?x`,
      `${url}/mcp/demo#f`,
      `${url}/mcp/../api`,
      `${url}/api`,
      `${url}/mcp/`,
    ]
    for (const resource of wrong)
      expect(errorOf(await flow.browser.open(flow.authorizeUrl({ resource })))).toBe('invalid_target')
    const two = `${flow.authorizeUrl()}&resource=${encodeURIComponent(`${url}/mcp/other`)}`
    expect(errorOf(await flow.browser.open(two))).toBe('invalid_target')
  })

  it.each(['form_post', 'fragment', 'web_message', 'jwt', 'query.jwt'])('nor by response mode %s', async (mode) => {
    const flow = await startCodeFlow(app)
    expect(endsHere(await flow.browser.open(flow.authorizeUrl({ response_mode: mode })))).toBe(true)
    const pushed = await post(`${app.app.url}/oauth/par`, { client_id: flow.clientId, response_mode: mode })
    expect([pushed.status, pushed.json.error]).toEqual([400, 'unsupported_response_mode'])
    expect((await flow.ask({ response_mode: 'query' })).text).toContain('Test client')
  })

  it('nor by a request_uri of somebody else', async () => {
    const flow = await startCodeFlow(app)
    for (const uri of [
      'https://evil.example/request',
      'http://169.254.169.254/',
      'urn:ietf:params:oauth:request_uri:x',
    ])
      expect(errorOf(await flow.browser.open(flow.authorizeUrl({ request_uri: uri })))).toMatch(
        /^(request_uri_not_supported|invalid_request_uri)$/,
      )
  })

  it('and gives no more scope than a namespace has', async () => {
    const flow = await startCodeFlow(app)
    const tokens = await flow.exchange(await flow.code({ scope: 'mcp admin openid offline_access' }))
    expect([tokens.json.scope, tokens.json.id_token]).toEqual(['mcp', undefined])
    expect(claimsOf(tokens.json.access_token)).toMatchObject({ scope: 'mcp' })
  })

  it(verifies('as-pkce', 'and no token without the verifier, or with the challenge in its place'), async () => {
    const flow = await startCodeFlow(app)
    for (const verifier of ['', claimsOf, 'x'.repeat(43)]) {
      const code = await flow.code()
      const answer = await flow.exchange(code, {
        code_verifier: typeof verifier === 'string' ? verifier : 'y'.repeat(128),
      })
      expect([answer.status, answer.json.access_token]).toEqual([400, undefined])
    }
    expect((await flow.tokens()).status).toBe(200)
  })
})

describe('the answer', () => {
  it(
    verifies(
      'as-issuer-in-answer',
      'names its issuer, also when it is an error, so that a client of several servers cannot be mixed up',
    ),
    async () => {
      const flow = await startCodeFlow(app)
      const refused = await flow.browser.open(flow.authorizeUrl({ code_challenge_method: 'plain' }))
      expect(new URL(refused.location ?? '').searchParams.get('iss')).toBe(app.app.url)
    },
  )

  it('splits no header and opens no redirect by what the state holds', async () => {
    const flow = await startCodeFlow(app)
    const state = 'a\r\nLocation: https://evil.example\r\nSet-Cookie: x=y&iss=https://evil.example#'
    const answer = await flow.browser.submit(await flow.ask({ state }), { decision: 'deny' })
    const back = new URL(answer.location ?? '')
    expect([back.origin, back.searchParams.get('state'), back.searchParams.getAll('iss')]).toEqual([
      'http://127.0.0.1:9',
      state,
      [app.app.url],
    ])
    expect(answer.location).toContain(`${redirectUri}?`)
  })

  it('is the same whatever Host and forwarding headers say', async () => {
    const flow = await startCodeFlow(app)
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }
    const metadata = await flow.browser.send(`${app.app.url}/.well-known/oauth-authorization-server`, { headers })
    expect(metadata.text).not.toContain('evil.example')
    const at = flow.authorizeUrl().replace('127.0.0.1', 'localhost')
    const answer = await flow.browser.send(at, { headers })
    expect(answer.location).toMatch(/^http:\/\/localhost:\d+\/oauth\/consent\//)
    const host = await flow.browser.send(at, { headers: { host: 'evil.example' } })
    expect([host.status, host.location]).toEqual([403, null])
  })
})
