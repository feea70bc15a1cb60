import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/kernel/index.ts'
import { post, startCodeFlow, type TokenAnswer } from '../../support/code-flow.ts'
import { startTestApp, type TestApp } from '../../support/running-app.ts'

// Client credentials in the wrong hands, or used for more than they are for (RFC 6749 sections 2.3 and 4.4, RFC 9700
// section 2.5). The twin of each is the good request of the first test.

let app: TestApp
let clientId: string
let secret: string
beforeAll(async () => {
  app = await startTestApp()
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: robot\n  - name: bound\n' })
  await app.apply('elsewhere', { 'namespace.yaml': 'namespace: elsewhere\nagents:\n  - name: other\n' })
})
afterAll(() => app.close())
beforeEach(async () => {
  ;({ id: clientId, secret } = await client('robot'))
})

async function client(agent: string): Promise<{ id: string; secret: string }> {
  const made = await app.manage('demo', 'client.create', { namespace: 'demo', agent })
  return { id: String((made.client as JsonObject).id), secret: String(made.clientSecret) }
}

function ask(fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<TokenAnswer> {
  const all = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret, ...fields }
  const given = Object.entries(all).filter(([, value]) => value !== '')
  return post(`${app.app.url}/oauth/token`, Object.fromEntries(given), headers)
}
const refused = ({ status, json }: TokenAnswer): unknown => [status, json.error, json.access_token]

describe('client credentials', () => {
  it('are good for the agent’s own namespace and no more', async () => {
    const { url } = app.app
    expect((await ask({ resource: `${url}/mcp/demo`, scope: 'mcp' })).status).toBe(200)
    for (const resource of [`${url}/mcp/elsewhere`, `${url}/mcp/demo/`, 'https://evil.example'])
      expect(refused(await ask({ resource }))).toEqual([400, 'invalid_target', undefined])
    expect(refused(await ask({ resource: `${url}/api`, scope: 'admin' }))).toEqual([400, 'invalid_scope', undefined])
    expect((await ask({ scope: 'mcp admin' })).json.scope).toBe('mcp')
    expect(refused(await ask({ scope: 'admin' }))).toEqual([400, 'invalid_scope', undefined])
  })

  it('are nothing without the secret, and the stored hash is none', async () => {
    const { createHash } = await import('node:crypto')
    const hash = createHash('sha256').update(secret).digest('hex')
    for (const wrong of ['', 'x', `${secret}x`, secret.slice(0, -1), hash])
      expect((await ask({ client_secret: wrong })).json.access_token).toBeUndefined()
    const other = await client('bound')
    expect(refused(await ask({ client_secret: other.secret }))).toEqual([401, 'invalid_client', undefined])
    const basic = Buffer.from(`${clientId}:${secret}`).toString('base64')
    expect((await ask({}, { authorization: `Basic ${basic}` })).status).toBe(400)
  })

  it('are for no other grant, and a public client has none', async () => {
    expect((await ask({ grant_type: 'password', username: 'anna', password: 'x' })).json.error).toBe(
      'unsupported_grant_type',
    )
    expect((await ask({ grant_type: 'refresh_token', refresh_token: 'x' })).json.access_token).toBeUndefined()
    const flow = await startCodeFlow(app)
    const answer = await ask({ client_id: flow.clientId, client_secret: '' })
    expect(answer.json.access_token).toBeUndefined()
    expect((await ask({ client_id: 'mcpworks:no-client', client_secret: '' })).json.access_token).toBeUndefined()
  })

  it('end with the agent, the client, or where the agent has to prove a key', async () => {
    const { registry } = app.app
    await registry.update('demo/robot', { senderConstrainedOnly: true })
    expect(refused(await ask())).toEqual([400, 'invalid_grant', undefined])
    await registry.update('demo/robot', { senderConstrainedOnly: false, disabledAtMs: 1 })
    expect(refused(await ask())).toEqual([401, 'invalid_client', undefined])
    await registry.update('demo/robot', { disabledAtMs: null })
    expect((await ask()).status).toBe(200)
    await registry.revokeCredential('demo', clientId)
    expect(refused(await ask())).toEqual([401, 'invalid_client', undefined])
  })

  it('are in no record and no answer', async () => {
    await ask({ client_secret: `${secret}-canary` })
    await ask({ scope: 'canary-scope', resource: 'canary-resource' })
    const answer = await ask()
    const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', limit: 500 })
    expect(JSON.stringify(records)).not.toContain(secret)
    expect(JSON.stringify(records)).not.toContain(String(answer.json.access_token))
    expect(JSON.stringify(records)).not.toContain('canary')
  })

  it('a request that is malformed is refused, and nothing breaks', async () => {
    const url = `${app.app.url}/oauth/token`
    const bodies = [
      '',
      'grant_type',
      'grant_type=client_credentials&grant_type=x',
      '%',
      '{"grant_type":"x"}',
      'a='.repeat(40_000),
    ]
    const types = [
      'application/x-www-form-urlencoded',
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      '',
    ]
    const statuses: number[] = []
    for (const body of bodies)
      for (const type of types) {
        const response = await fetch(url, {
          method: 'POST',
          body,
          headers: type === '' ? {} : { 'content-type': type },
        })
        statuses.push(response.status)
        expect((await response.text()).includes('access_token')).toBe(false)
      }
    expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([])
  })
})
