import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimsOf, startCodeFlow, type TokenAnswer } from '../support/code-flow.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { verifies } from '../conformance/requirements.ts'

let app: TestApp
let strict: TestApp
let key: { privateKey: CryptoKey; jwk: JWK }
let other: { privateKey: CryptoKey; jwk: JWK }
beforeAll(async () => {
  app = await startTestApp()
  strict = await startTestApp({ settings: { 'auth.dpop.nonce': 'required' } })
  for (const each of [app, strict])
    await each.apply('demo', { 'namespace.yaml': 'namespace: demo\nagents:\n  - name: other\n' })
  key = await newKey()
  other = await newKey()
})
afterAll(async () => {
  await app.close()
  await strict.close()
})

async function newKey(): Promise<typeof key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return { privateKey, jwk: await exportJWK(publicKey) }
}

async function proof(
  server: TestApp,
  by: typeof key,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<{ dpop: string }> {
  const dpop = await new SignJWT({
    jti: crypto.randomUUID(),
    htm: 'POST',
    htu: `${server.app.url}/oauth/token`,
    iat: Math.floor(Date.now() / 1000),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: by.jwk, ...header })
    .sign(by.privateKey)
  return { dpop }
}

const refused = ({ status, json }: TokenAnswer): unknown => [status, json.error, json.access_token]

describe('DPoP at the token endpoint', () => {
  it(verifies('as-dpop-binding', 'binds the access token and a public client’s refresh token to the key'), async () => {
    const flow = await startCodeFlow(app)
    const first = await flow.tokens(await proof(app, key))
    expect(first.json.token_type).toBe('DPoP')
    expect(claimsOf(first.json.access_token)).toMatchObject({ cnf: { jkt: expect.stringMatching(/^[\w-]{43}$/) } })
    const token = String(first.json.refresh_token)
    expect(refused(await flow.refresh(token))).toEqual([400, 'invalid_grant', undefined])
    expect(refused(await flow.refresh(token, {}, await proof(app, other)))).toEqual([400, 'invalid_grant', undefined])
    const again = await flow.refresh(token, {}, await proof(app, key))
    expect([again.status, claimsOf(again.json.access_token).cnf]).toEqual([200, claimsOf(first.json.access_token).cnf])
  })

  it(verifies('as-dpop-binding', 'binds a code to the key that the request named'), async () => {
    const flow = await startCodeFlow(app)
    const { calculateJwkThumbprint } = await import('jose')
    const code = await flow.code({ dpop_jkt: await calculateJwkThumbprint(key.jwk) })
    expect(refused(await flow.exchange(code))).toEqual([400, 'invalid_grant', undefined])
    const second = await flow.code({ dpop_jkt: await calculateJwkThumbprint(key.jwk) })
    expect(refused(await flow.exchange(second, {}, await proof(app, other)))).toEqual([400, 'invalid_grant', undefined])
    const third = await flow.code({ dpop_jkt: await calculateJwkThumbprint(key.jwk) })
    expect((await flow.exchange(third, {}, await proof(app, key))).json.token_type).toBe('DPoP')
  })

  it(
    verifies('as-dpop-proof', 'refuses a proof that is not for this request, is old, or is not what it must be'),
    async () => {
      const flow = await startCodeFlow(app)
      const now = Math.floor(Date.now() / 1000)
      const wrong = await Promise.all([
        proof(app, key, { htm: 'GET' }),
        proof(app, key, { htu: `${app.app.url}/oauth/par` }),
        proof(app, key, { htu: 'https://evil.example/oauth/token' }),
        proof(app, key, { iat: now - 400 }),
        proof(app, key, { iat: now + 400 }),
        proof(app, key, { jti: undefined }),
        proof(app, key, {}, { typ: 'jwt' }),
        proof(app, key, {}, { jwk: other.jwk }),
      ])
      for (const headers of [...wrong, { dpop: 'x' }, { dpop: `${(await proof(app, key)).dpop}x` }]) {
        const answer = await flow.exchange(await flow.code(), {}, headers)
        expect(['invalid_dpop_proof', 'use_dpop_nonce']).toContain(answer.json.error)
        expect([answer.status, answer.json.access_token]).toEqual([400, undefined])
      }
    },
  )

  it(verifies('as-dpop-replay', 'takes a proof once, also when two requests bring it at the same time'), async () => {
    const [first, second] = [await startCodeFlow(app), await startCodeFlow(app)]
    const headers = await proof(app, key)
    expect((await first.tokens(headers)).status).toBe(200)
    expect(refused(await first.tokens(headers))).toEqual([400, 'invalid_grant', undefined])
    const once = await proof(app, key)
    const codes = await Promise.all([second.code(), second.code()])
    const answers = await Promise.all(codes.map((code) => second.exchange(code, {}, once)))
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  })

  it(verifies('as-dpop-nonce', 'asks for a nonce where the configuration does, and takes it'), async () => {
    const flow = await startCodeFlow(strict)
    const code = await flow.code()
    const asked = await flow.exchange(code, {}, await proof(strict, key))
    expect(refused(asked)).toEqual([400, 'use_dpop_nonce', undefined])
    const nonce = asked.headers.get('dpop-nonce')
    expect(nonce).toMatch(/^[\w-]{20,}$/)
    const forged = await flow.exchange(code, {}, await proof(strict, key, { nonce: 'A'.repeat(43) }))
    expect(forged.json.error).toBe('use_dpop_nonce')
    const answer = await flow.exchange(code, {}, await proof(strict, key, { nonce }))
    expect([answer.status, answer.json.token_type]).toEqual([200, 'DPoP'])
  })
})
