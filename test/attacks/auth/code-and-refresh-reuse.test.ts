import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../../conformance/requirements.ts'
import { addApplication, claimsOf, redirectUri, startCodeFlow, type CodeFlow } from '../../support/code-flow.ts'
import { keptDirectory } from '../../support/kept-directory.ts'
import { mcp, startTestApp, type TestApp } from '../../support/running-app.ts'

// Stolen codes and refresh tokens (RFC 6749 section 4.1.2, RFC 9700 sections 2.1.1 and 4.14). The control of each: the
// same thing, used once and by its owner, works.

let app: TestApp
beforeAll(async () => {
  app = await startTestApp({ dataDirectory: keptDirectory() })
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: other\n' })
})
afterAll(() => app.close())

const status = async (token: unknown): Promise<number> =>
  (await mcp(app.app.url, String(token), 'demo', 'tools/list', {})).status

/** Nothing of the grant is good any more: neither the access token, nor any refresh token. */
async function expectRevoked(flow: CodeFlow, tokens: readonly Record<string, unknown>[]): Promise<void> {
  for (const { access_token: access, refresh_token: refresh } of tokens) {
    expect(await status(access)).toBe(401)
    expect((await flow.refresh(String(refresh))).json.error).toBe('invalid_grant')
  }
}

describe('an authorization code', () => {
  it(verifies('as-code-once', 'is good once: a second use ends the grant with the tokens of the first'), async () => {
    const flow = await startCodeFlow(app)
    const code = await flow.code()
    const first = await flow.exchange(code)
    expect([first.status, await status(first.json.access_token)]).toEqual([200, 200])
    expect((await flow.exchange(code)).json.error).toBe('invalid_grant')
    await expectRevoked(flow, [first.json])
  })

  it('is good once when ten use it at the same time, and nothing of it stays good', async () => {
    const flow = await startCodeFlow(app)
    const code = await flow.code()
    const answers = await Promise.all(Array.from({ length: 10 }, () => flow.exchange(code)))
    const given = answers.filter(({ status: answered }) => answered === 200)
    expect(given.length).toBeLessThanOrEqual(1)
    await expectRevoked(
      flow,
      given.map(({ json }) => json),
    )
  })

  it('is good for its client, redirect URI and verifier only', async () => {
    const flow = await startCodeFlow(app)
    const other = await addApplication(app)
    const code = await flow.code()
    const wrong = [{ client_id: other }, { redirect_uri: `${redirectUri}x` }, { code_verifier: 'x'.repeat(43) }]
    for (const fields of wrong) expect((await flow.exchange(code, fields)).json.error).toBe('invalid_grant')
    expect((await flow.exchange(code)).status).toBe(200)
  })
})

describe('a refresh token', () => {
  it(verifies('as-refresh-rotation', 'is good once: a second use ends the grant with the newer tokens'), async () => {
    const flow = await startCodeFlow(app)
    const first = await flow.tokens()
    const second = await flow.refresh(String(first.json.refresh_token))
    expect([second.status, await status(second.json.access_token)]).toEqual([200, 200])
    expect((await flow.refresh(String(first.json.refresh_token))).json.error).toBe('invalid_grant')
    await expectRevoked(flow, [second.json])
  })

  it('is good once when ten use it at the same time, and nothing of it stays good', async () => {
    const flow = await startCodeFlow(app)
    const { json } = await flow.tokens()
    const answers = await Promise.all(Array.from({ length: 10 }, () => flow.refresh(String(json.refresh_token))))
    const given = answers.filter(({ status: answered }) => answered === 200)
    expect(given.length).toBeLessThanOrEqual(1)
    await expectRevoked(
      flow,
      given.map((answer) => answer.json),
    )
  })

  it('is of no use to another client, and asks for no more than was given', async () => {
    const flow = await startCodeFlow(app)
    const { json } = await flow.tokens()
    const token = String(json.refresh_token)
    const thief = await startCodeFlow(app)
    expect((await thief.refresh(token)).json.error).toBe('invalid_grant')
    expect((await flow.refresh(token, { scope: 'mcp admin' })).json.error).toBe('invalid_scope')
    expect((await flow.refresh(token, { resource: `${app.app.url}/api` })).json.error).toBe('invalid_target')
    const good = await startCodeFlow(app)
    const again = await good.refresh(String((await good.tokens()).json.refresh_token), { scope: 'mcp' })
    expect(again.status).toBe(200)
  })
})

it('a reuse is seen after a restart too', async () => {
  const flow = await startCodeFlow(app)
  const first = await flow.tokens()
  const second = await flow.refresh(String(first.json.refresh_token))
  expect(second.status).toBe(200)
  const { port } = new URL(app.app.url)
  await app.close()
  app = await startTestApp({ dataDirectory: app.dataDirectory, settings: { 'http.port': port } })
  expect((await flow.refresh(String(first.json.refresh_token))).json.error).toBe('invalid_grant')
  expect((await flow.refresh(String(second.json.refresh_token))).json.error).toBe('invalid_grant')
  const credential = app.app.registry.findCredential(String(claimsOf(second.json.access_token).mcpworks_credential))
  expect(credential?.revokedAtMs).not.toBeNull()
})
