import { createPublicKey, createVerify, generateKeyPairSync } from 'node:crypto'
import { exportJWK } from 'jose'
import * as oauth from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../conformance/requirements.ts'
import type { JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

let app: TestApp
beforeAll(async () => {
  app = await startTestApp()
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: robot\n  - name: bound\n' })
})
afterAll(() => app.close())

const insecure = { execute: [oauth.allowInsecureRequests] }

async function client(agent: string, more: JsonObject = {}): Promise<{ id: string; secret: string }> {
  const made = await app.manage('demo', 'client.create', { namespace: 'demo', agent, ...more })
  return { id: String((made.client as JsonObject).id), secret: String(made.clientSecret) }
}

async function discovered(id: string, authentication: oauth.ClientAuth): Promise<oauth.Configuration> {
  return oauth.discovery(new URL(app.app.url), id, undefined, authentication, { ...insecure, algorithm: 'oauth2' })
}

function claims(token: string): JsonObject {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JsonObject
}

describe('client credentials of an agent', () => {
  it(
    verifies(
      'as-token-profile',
      'get a token of five minutes for the namespace of the agent, recorded before it is there',
    ),
    async () => {
      const { id, secret } = await client('robot')
      const config = await discovered(id, oauth.ClientSecretBasic(secret))
      const answer = await oauth.clientCredentialsGrant(config, { resource: `${app.app.url}/mcp/demo`, scope: 'mcp' })
      expect(answer).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'mcp' })
      expect(claims(answer.access_token)).toMatchObject({
        iss: app.app.url,
        aud: `${app.app.url}/mcp/demo`,
        sub: 'demo/robot',
        client_id: id,
        scope: 'mcp',
        mcpworks_credential: id,
        jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      })
      const { records } = await app.manage('demo', 'audit.tail', { namespace: 'demo', kind: 'credential' })
      expect(JSON.stringify(records)).toContain(String(claims(answer.access_token).jti))
      expect(JSON.stringify(records)).not.toContain(secret)
      expect(JSON.stringify(records)).not.toContain(answer.access_token)
    },
  )

  it('sign the token by a published key', async () => {
    const { id, secret } = await client('robot')
    const config = await discovered(id, oauth.ClientSecretPost(secret))
    const { access_token: token } = await oauth.clientCredentialsGrant(config, {})
    const [header = '', payload = '', signature = ''] = token.split('.')
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }
    const { keys } = (await (await fetch(`${app.app.url}/oauth/jwks`)).json()) as { keys: JsonObject[] }
    const jwk = keys.find((key) => key.kid === kid)
    const verify = createVerify('sha256').update(`${header}.${payload}`)
    const key = createPublicKey({ key: jwk as never, format: 'jwk' })
    expect(verify.verify({ key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(JSON.stringify(keys)).not.toMatch(/"d":/)
  })

  it(verifies('as-client-credentials', 'take an assertion signed by the key of the client, once'), async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'mine' }
    const { id } = await client('robot', { keys: { keys: [jwk] } })
    const key = await crypto.subtle.importKey(
      'jwk',
      privateKey.export({ format: 'jwk' }) as never,
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['sign'],
    )
    const config = await discovered(id, oauth.PrivateKeyJwt({ key, kid: 'mine' }))
    expect(await oauth.clientCredentialsGrant(config, {})).toMatchObject({ token_type: 'bearer' })
  })

  it('bind the token to the key of a DPoP proof', async () => {
    const { id, secret } = await client('bound', { dpop: true })
    const config = await discovered(id, oauth.ClientSecretBasic(secret))
    await expect(oauth.clientCredentialsGrant(config, {})).rejects.toMatchObject({ error: 'invalid_grant' })
    const keyPair = await oauth.randomDPoPKeyPair('ES256')
    const handle = oauth.getDPoPHandle(config, keyPair)
    const answer = await oauth.clientCredentialsGrant(config, {}, { DPoP: handle })
    expect(answer.token_type).toBe('dpop')
    expect(claims(answer.access_token)).toMatchObject({ cnf: { jkt: await handle.calculateThumbprint() } })
  })
})
