import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../conformance/requirements.ts'
import { claimsOf, post, redirectUri, startCodeFlow } from '../support/code-flow.ts'
import { createOauthBrowser } from '../support/oauth-browser.ts'
import { mcp, startTestApp, type TestApp } from '../support/running-app.ts'

let app: TestApp
let url: string
beforeAll(async () => {
  app = await startTestApp()
  url = app.app.url
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: other\n' })
})
afterAll(() => app.close())

async function list(token: unknown): Promise<number> {
  return (await mcp(url, String(token), 'demo', 'tools/list', {})).status
}

describe('the code flow', () => {
  it(
    verifies('as-issuer-in-answer', 'gives a client that a person let in a token of the agent that the person chose'),
    async () => {
      const flow = await startCodeFlow(app)
      const page = await flow.ask()
      expect(page.status).toBe(200)
      expect(page.text).toContain('Test client')
      expect(page.text).toContain('http://127.0.0.1:9')
      expect(page.text).toContain('demo/anna-agent')
      expect(page.text).not.toContain('demo/other')
      const answer = await flow.browser.submit(page, { decision: 'allow', agent: 'demo/anna-agent', days: '7' })
      const back = new URL(answer.location ?? '')
      expect(`${back.origin}${back.pathname}`).toBe(redirectUri)
      expect([...back.searchParams.keys()].sort()).toEqual(['code', 'iss', 'state'])
      expect(back.searchParams.get('iss')).toBe(url)
      expect(back.searchParams.get('state')).toBe('the-state')
      const tokens = await flow.exchange(back.searchParams.get('code') ?? '')
      expect(tokens.json).toMatchObject({
        token_type: 'Bearer',
        expires_in: 300,
        scope: 'mcp',
        refresh_token: expect.any(String),
      })
      expect(claimsOf(tokens.json.access_token)).toMatchObject({
        sub: 'demo/anna-agent',
        aud: `${url}/mcp/demo`,
        client_id: flow.clientId,
      })
      expect(await list(tokens.json.access_token)).toBe(200)
    },
  )

  it(
    verifies('as-consent', 'records who let which client act as whom, for how long, before the code is there'),
    async () => {
      const flow = await startCodeFlow(app)
      await flow.code()
      const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'credential' })
      const consent = (records as { record: { event: Record<string, unknown> } }[]).findLast(
        ({ record }) => record.event.type === 'consent-given',
      )
      expect(consent?.record.event).toMatchObject({
        principal: 'demo/anna-agent',
        person: 'anna',
        session: flow.person.sessionId,
        client: flow.clientId,
        asked: true,
        scopes: ['mcp'],
      })
    },
  )

  it('tells a client that the person refused', async () => {
    const flow = await startCodeFlow(app)
    const answer = await flow.browser.submit(await flow.ask(), { decision: 'deny' })
    const back = new URL(answer.location ?? '')
    expect(Object.fromEntries(back.searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: url,
    })
  })

  it('sends who is not signed in to sign in and come back', async () => {
    const flow = await startCodeFlow(app)
    const stranger = createOauthBrowser()
    const first = await stranger.send(flow.authorizeUrl())
    expect(first.status).toBe(307)
    const asked = await stranger.send((await stranger.send(first.location ?? '')).location ?? '')
    expect(asked.status).toBe(303)
    expect(new URL(asked.location ?? '').pathname).toBe('/sign-in')
    expect(new URL(asked.location ?? '').searchParams.get('return')).toMatch(/^\/oauth\/consent\//)
  })

  it('lets who may make agents make one there, through the pipeline', async () => {
    const flow = await startCodeFlow(app)
    await app.app.registry.setGroups('anna', ['owner'])
    const page = await flow.ask()
    const proposed = /name="name" value="([^"]+)"/.exec(page.text)?.[1]
    expect(proposed).toBe('test-client-anna')
    const answer = await flow.browser.submit(page, { decision: 'allow', agent: 'new' })
    await app.app.registry.setGroups('anna', [])
    const tokens = await flow.exchange(new URL(answer.location ?? '').searchParams.get('code') ?? '')
    expect(claimsOf(tokens.json.access_token)).toMatchObject({ sub: 'demo/test-client-anna' })
    expect(app.app.registry.findPrincipal('demo/test-client-anna')).toMatchObject({ ownerId: 'anna' })
  })

  it('does not let others make one', async () => {
    const flow = await startCodeFlow(app)
    const page = await flow.ask()
    expect(page.text).not.toContain('value="new"')
    const answer = await flow.browser.submit(page, { decision: 'allow', agent: 'new', name: 'sneaked-in' })
    expect([answer.status, answer.location]).toEqual([400, null])
    expect(app.app.registry.findPrincipal('demo/sneaked-in')).toBeNull()
  })

  it(verifies('as-refresh-rotation', 'refreshes with a new refresh token each time'), async () => {
    const flow = await startCodeFlow(app)
    const first = await flow.tokens()
    const second = await flow.refresh(String(first.json.refresh_token))
    expect(second.status).toBe(200)
    expect(second.json.refresh_token).not.toBe(first.json.refresh_token)
    const third = await flow.refresh(String(second.json.refresh_token))
    expect(third.status).toBe(200)
    expect(await list(third.json.access_token)).toBe(200)
  })

  it('keeps refresh tokens over a restart, sealed and by their hash alone', async () => {
    const flow = await startCodeFlow(app)
    const { json } = await flow.tokens()
    const { DatabaseSync } = await import('node:sqlite')
    const state = new DatabaseSync(`${app.dataDirectory}/state.db`, { readOnly: true })
    const rows = JSON.stringify(
      state
        .prepare('SELECT * FROM oauth_artifacts')
        .all()
        .map((row) => ({ ...row, sealed: Buffer.from(row.sealed as Uint8Array).toString('latin1') })),
    )
    state.close()
    expect(rows).toContain('RefreshToken')
    expect(rows).not.toContain(String(json.refresh_token))
    expect(rows).not.toContain('anna')
  })

  it.each(['agent', 'person', 'grant'])('refreshes nothing once the %s may not act any more', async (who) => {
    const flow = await startCodeFlow(app)
    const { json } = await flow.tokens()
    const { registry } = app.app
    const change: Record<string, () => Promise<unknown>> = {
      agent: () => registry.update('demo/anna-agent', { disabledAtMs: 1 }),
      person: () => registry.update('anna', { disabledAtMs: 1 }),
      grant: () => registry.revokeCredential('demo', String(claimsOf(json.access_token).mcpworks_credential)),
    }
    await change[who]?.()
    const refused = await flow.refresh(String(json.refresh_token))
    await registry.update('demo/anna-agent', { disabledAtMs: null })
    await registry.update('anna', { disabledAtMs: null })
    expect([refused.status, refused.json.error]).toEqual([400, 'invalid_grant'])
  })

  it(
    verifies(
      'as-revocation',
      'revokes a grant with its refresh token: its access token opens nothing from the next request on',
    ),
    async () => {
      const flow = await startCodeFlow(app)
      const { json } = await flow.tokens()
      expect(await list(json.access_token)).toBe(200)
      const answer = await post(`${url}/oauth/revoke`, { client_id: flow.clientId, token: String(json.refresh_token) })
      expect(answer.status).toBe(200)
      expect(await list(json.access_token)).toBe(401)
      expect((await flow.refresh(String(json.refresh_token))).json.error).toBe('invalid_grant')
    },
  )

  it(verifies('as-revocation', 'revokes an access token, and what was given with it'), async () => {
    const flow = await startCodeFlow(app)
    const { json } = await flow.tokens()
    const other = await startCodeFlow(app)
    const wrong = await post(`${url}/oauth/revoke`, { client_id: other.clientId, token: String(json.access_token) })
    expect([wrong.status, await list(json.access_token)]).toEqual([200, 200])
    const right = await post(`${url}/oauth/revoke`, { client_id: flow.clientId, token: String(json.access_token) })
    expect([right.status, await list(json.access_token)]).toEqual([200, 401])
    expect((await flow.refresh(String(json.refresh_token))).json.error).toBe('invalid_grant')
  })

  it('takes a pushed request', async () => {
    const flow = await startCodeFlow(app)
    const parameters = Object.fromEntries(new URL(flow.authorizeUrl()).searchParams)
    const pushed = await post(`${url}/oauth/par`, parameters)
    expect(pushed.status).toBe(201)
    const page = await flow.browser.open(
      `${url}/oauth/authorize?${new URLSearchParams({ client_id: flow.clientId, request_uri: String(pushed.json.request_uri) }).toString()}`,
    )
    expect(page.text).toContain('Test client')
  })

  it(verifies('as-metadata', 'publishes metadata of what there is, under both names'), async () => {
    const names = ['oauth-authorization-server', 'openid-configuration']
    const [first, second] = await Promise.all(
      names.map(async (name) => (await fetch(`${url}/.well-known/${name}`)).json()),
    )
    expect(first).toEqual(second)
    expect(first).toMatchObject({
      issuer: url,
      token_endpoint: `${url}/oauth/token`,
      authorization_endpoint: `http://localhost:${new URL(url).port}/oauth/authorize`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    })
    expect(first).not.toHaveProperty('registration_endpoint')
    expect(first).not.toHaveProperty('userinfo_endpoint')
  })
})
