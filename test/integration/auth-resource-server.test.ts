import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../conformance/requirements.ts'
import { startForeignIssuer, type ForeignIssuer } from '../support/foreign-issuer.ts'
import { sendRaw } from '../support/http-harness.ts'
import { createJwsSigner } from '../support/jws-signer.ts'
import { addCredential, startTokenDoor, type TokenDoor } from '../support/token-door.ts'

const networks = ['127.0.0.0/8']

let door: TokenDoor
let issuer: ForeignIssuer
beforeAll(async () => {
  issuer = await startForeignIssuer()
  door = await startTokenDoor({
    issuers: [{ issuer: issuer.issuer, networks }],
    introspection: { issuer: issuer.issuer, clientId: 'introspector', clientSecret: 'secret' },
  })
  await addCredential(door.registry, 'binding', { issuer: issuer.issuer, match: { client_id: 'workload' } }, ['mcp'])
})
afterAll(async () => {
  await door.close()
  await issuer.close()
})

const challengeOf = (answer: { headers: Record<string, unknown> }): string => String(answer.headers['www-authenticate'])

describe('protected resource metadata', () => {
  const read = (path: string) => sendRaw(door.harness.port, { path: `/.well-known/oauth-protected-resource${path}` })

  it(verifies('resource-metadata', 'is there for a namespace and for the management API'), async () => {
    expect((await read('/mcp/demo')).json).toEqual({
      resource: `${door.url}/mcp/demo`,
      resource_name: 'MCPWorks namespace demo',
      authorization_servers: [door.url, issuer.issuer],
      scopes_supported: ['mcp'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']),
    })
    expect((await read('/api')).json).toMatchObject({ resource: `${door.url}/api`, scopes_supported: ['admin'] })
  })

  it('does not tell which namespaces exist', async () => {
    expect((await read('/mcp/nowhere')).status).toBe(200)
    expect((await read('/mcp/No-Name')).status).toBe(404)
    expect((await read('')).status).toBe(401)
  })

  it(verifies('challenge', 'is named by the challenge, which leads to it'), async () => {
    const answer = await door.call(null)
    expect(answer.status).toBe(401)
    const url = /^Bearer [^,]*, resource_metadata="([^"]+)", scope="mcp"/.exec(challengeOf(answer))?.[1] ?? ''
    expect(challengeOf(answer)).not.toContain('error')
    expect(challengeOf(answer)).toMatch(/, DPoP .*algs="ES256 /)
    expect(((await (await fetch(url)).json()) as { resource: string }).resource).toBe(`${door.url}/mcp/demo`)
  })
})

describe('an access token of the embedded authorization server', () => {
  it(verifies('token-audience', 'opens the resource that it names and no other'), async () => {
    expect((await door.call(`Bearer ${door.token()}`)).text).toContain('said')
    for (const aud of [`${door.url}/mcp/other`, `${door.url}/mcp/demo/`, `${door.url}/api`, door.url, [], undefined]) {
      const answer = await door.call(`Bearer ${door.token({ aud })}`)
      expect([aud, answer.status]).toEqual([aud, 401])
      expect(challengeOf(answer)).toContain('error="invalid_token"')
    }
    expect(
      (await door.call(`Bearer ${door.token({ aud: [`${door.url}/mcp/demo`, 'https://b.example'] })}`)).status,
    ).toBe(401)
  })

  it(verifies('scope-challenge', 'without the scope is answered 403 with the scope needed'), async () => {
    const answer = await door.call(`Bearer ${door.token({ scope: 'admin' })}`)
    expect(answer.status).toBe(403)
    expect(challengeOf(answer)).toBe(
      `Bearer realm="mcpworks", error="insufficient_scope", error_description="This needs the scope mcp", ` +
        `resource_metadata="${door.url}/.well-known/oauth-protected-resource/mcp/demo", scope="mcp"`,
    )
  })

  it('ends at the next request with its credential, its agent, its own revocation and its time', async () => {
    const credential = await addCredential(door.registry, 'client', {})
    const token = door.token({ mcpworks_credential: credential.id, jti: 'to-be-revoked' })
    const status = async () => (await door.call(`Bearer ${token}`)).status
    expect(await status()).toBe(200)
    door.revoked.add('to-be-revoked')
    expect(await status()).toBe(401)
    door.revoked.delete('to-be-revoked')
    await door.registry.update('demo/analyst', { disabledAtMs: Date.now() })
    expect(await status()).toBe(401)
    await door.registry.update('demo/analyst', { disabledAtMs: null })
    expect(await status()).toBe(200)
    door.clock.offsetMs = 301_000
    expect(await status()).toBe(401)
    door.clock.offsetMs = 0
    await door.registry.revokeCredential('demo', credential.id)
    expect(await status()).toBe(401)
  })

  it('is refused unbound where the agent must prove a key', async () => {
    await door.registry.update('demo/analyst', { senderConstrainedOnly: true })
    const key = createJwsSigner()
    const bound = door.token({ cnf: { jkt: key.thumbprint } })
    expect((await door.call(`Bearer ${door.token()}`)).status).toBe(401)
    expect((await door.call(`DPoP ${bound}`, door.proof(key, bound))).status).toBe(200)
    await door.registry.update('demo/analyst', { senderConstrainedOnly: false })
  })

  it(verifies('dpop-bound', 'bound to a key is taken with a proof of that key'), async () => {
    for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
      const key = createJwsSigner(algorithm)
      const token = door.token({ cnf: { jkt: key.thumbprint } })
      expect((await door.call(`DPoP ${token}`, door.proof(key, token))).status).toBe(200)
    }
  })
})

describe('an access token of a foreign issuer', () => {
  it('is taken by a binding that matches, and by none it is nobody', async () => {
    const token = await issuer.requestToken({ resource: `${door.url}/mcp/demo` })
    expect((await door.call(`Bearer ${token}`)).text).toContain('said')
    const unknown = issuer.sign(`${door.url}/mcp/demo`, { client_id: 'somebody-else' })
    expect((await door.call(`Bearer ${unknown}`)).status).toBe(401)
    expect(door.harness.refusals.at(-1)?.reason).toContain('no binding matches')
  })

  it('does not reach another namespace than that of the binding', async () => {
    const token = issuer.sign(`${door.url}/mcp/other`)
    const answer = await sendRaw(door.harness.port, {
      method: 'POST',
      path: '/mcp/other',
      headers: ['Authorization', `Bearer ${token}`],
    })
    expect(answer.status).toBe(401)
  })

  it('bound to a key needs a proof', async () => {
    const key = createJwsSigner()
    const proof = key.sign(
      { typ: 'dpop+jwt', jwk: key.publicJwk },
      { jti: 'a', htm: 'POST', htu: `${issuer.issuer}/token`, iat: Math.floor(Date.now() / 1000) },
    )
    const token = await issuer.requestToken({ resource: `${door.url}/mcp/demo`, headers: { DPoP: proof } })
    expect((await door.call(`Bearer ${token}`)).status).toBe(401)
    expect((await door.call(`DPoP ${token}`, door.proof(key, token))).status).toBe(200)
  })

  it('that is opaque is asked about once, and ends at the issuer within the time that answers are kept', async () => {
    const token = await issuer.requestToken({ resource: `${door.url}/mcp/demo`, format: 'opaque' })
    const asked = () => issuer.requests.get('/token/introspection') ?? 0
    const before = asked()
    const answers = await Promise.all([1, 2, 3].map(() => door.call(`Bearer ${token}`)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(asked()).toBe(before + 1)
    await issuer.revoke(token)
    door.clock.offsetMs += 31_000
    expect((await door.call(`Bearer ${token}`)).status).toBe(401)
    expect((await door.call(`Bearer ${token}`)).status).toBe(401)
    expect(asked()).toBe(before + 2)
    const elsewhere = await issuer.requestToken({ resource: 'https://b.example', format: 'opaque' })
    expect((await door.call(`Bearer ${elsewhere}`)).status).toBe(401)
    door.clock.offsetMs = 0
  })
})

describe('keys of an issuer', () => {
  const good = () => `Bearer ${issuer.sign(`${door.url}/mcp/demo`)}`
  const asked = () => issuer.requests.get('/jwks') ?? 0

  it('may change without a restart, and one that was withdrawn is good no more', async () => {
    const old = good()
    expect((await door.call(old)).status).toBe(200)
    const oldUnseen = issuer.sign(`${door.url}/mcp/demo`)
    await issuer.rotateKeys()
    expect((await door.call(good())).status).toBe(200)
    expect((await door.call(`Bearer ${oldUnseen}`)).status).toBe(401)
  })

  it('are not fetched again and again for key ids that nobody knows', async () => {
    const before = asked()
    for (let index = 0; index < 20; index += 1) {
      const token = issuer.sign(`${door.url}/mcp/demo`, {}, { kid: `unknown-${index}` })
      expect((await door.call(`Bearer ${token}`)).status).toBe(401)
    }
    expect(asked() - before).toBeLessThanOrEqual(1)
  })

  it('are relied on while the issuer is down for as long as is stated, and then its tokens are refused', async () => {
    expect((await door.call(good())).status).toBe(200)
    issuer.goDown()
    const signAt = () => issuer.sign(`${door.url}/mcp/demo`, { exp: Math.floor(door.clock.nowMs() / 1000) + 60 })
    door.clock.offsetMs = 14_300_000
    expect((await door.call(`Bearer ${signAt()}`)).status).toBe(200)
    door.clock.offsetMs = 14_500_000
    const refused = await door.call(`Bearer ${signAt()}`)
    expect([refused.status, refused.headers['retry-after'], refused.headers['www-authenticate']]).toEqual([
      503,
      '30',
      undefined,
    ])
    expect((await door.call(`Bearer ${door.token()}`)).status).toBe(200)
    issuer.comeBack()
    door.clock.offsetMs += 31_000
    expect((await door.call(`Bearer ${signAt()}`)).status).toBe(200)
    door.clock.offsetMs = 0
  })
})
