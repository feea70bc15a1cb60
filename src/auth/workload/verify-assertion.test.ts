import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../kernel/index.ts'
import { createIssuerKeys } from './create-issuer-keys.ts'
import { issuerConfigSchema } from './issuer-config.ts'
import { trustIssuers } from './trust-issuers.ts'
import { createVerifyAssertion, type VerifyAssertion } from './verify-assertion.ts'

const nowMs = 1_800_000_000_000
const now = nowMs / 1000
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
const here = 'https://mcp.example.org'

let privateKey: CryptoKey
let publicJwk: JWK
let verify: (text: string) => ReturnType<VerifyAssertion>

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true })
  privateKey = pair.privateKey
  publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }
  const { issuers, problems } = trustIssuers(
    [
      { issuer: 'https://issuer.example', keys: [publicJwk], identityAssertions: true },
      { issuer: 'https://reusable.example', keys: [publicJwk], jti: 'reusable' },
      { issuer: 'https://people.example', keys: [publicJwk], workloads: false, identityAssertions: true },
      { preset: 'kubernetes', issuer: 'https://cluster.example', keys: [publicJwk], algorithms: ['ES256'] },
      { preset: 'spiffe', trustDomain: 'example.org', keys: [{ ...publicJwk, use: 'jwt-svid' }] },
      { issuer: 'https://down.example' },
    ].map((config) => issuerConfigSchema.parse(config)),
  )
  expect(problems).toEqual([])
  const anywhere = createVerifyAssertion({
    issuers,
    keysOf: createIssuerKeys(issuers, {
      tokens: { keysFreshSeconds: 60, keysKeptSeconds: 60 },
      guardedFetch: async () => ({ ok: false, reason: 'unreachable' }),
      clock,
    }),
    clock,
  })
  verify = (text) => anywhere(text, { issuer: here, tokenEndpoint: `${here}/oauth/token` })
})

const good: JsonObject = {
  iss: 'https://issuer.example',
  sub: 'job-7',
  aud: here,
  iat: now - 10,
  exp: now + 290,
  jti: 'one',
}

function sign(claims: JsonObject, header: JsonObject = {}, key = privateKey): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key)
}

/** Claims without those named. */
function without(...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name)))
}

const reasonOf = async (text: string) => {
  const outcome = await verify(text)
  return outcome.ok ? 'verified' : outcome.reason
}

describe('an assertion', () => {
  it('of a trusted issuer with the right claims is verified', async () => {
    expect(await verify(await sign(good))).toMatchObject({
      ok: true,
      assertion: { kind: 'workload', subject: 'job-7', singleUseId: 'one', expiresAtMs: (now + 290) * 1000 },
    })
    expect(await verify(await sign(good, { typ: 'oauth-id-jag+jwt' }))).toMatchObject({
      ok: true,
      assertion: { kind: 'id-jag' },
    })
  })

  it.each([here, `${here}/`, `${here}/oauth/token`, [here], [here, `${here}/oauth/token`]])(
    'may be for %j',
    async (aud) => {
      expect(await reasonOf(await sign({ ...good, aud }))).toBe('verified')
    },
  )

  it.each([
    ['another server', 'https://other.example'],
    ['this server and another', [here, 'https://other.example']],
    ['a server that looks like this one', `${here}.evil.example`],
    ['a path of this server', `${here}/mcp/demo`],
    ['this server in capitals', here.toUpperCase()],
    ['nobody', []],
    ['no text', 7],
    ['a list with no text', [here, null]],
  ])('is not taken when it is for %s', async (_, aud) => {
    expect(await reasonOf(await sign({ ...good, aud: aud }))).toMatch(/^aud /)
  })

  it('about a person is for the issuer identifier and not for the token endpoint', async () => {
    expect(await reasonOf(await sign({ ...good, aud: `${here}/oauth/token` }, { typ: 'oauth-id-jag+jwt' }))).toMatch(
      /^aud /,
    )
  })

  it.each([
    ['iss of nobody', { ...good, iss: 'https://evil.example' }, 'the issuer is not trusted'],
    ['iss with a slash', { ...good, iss: 'https://issuer.example/' }, 'the issuer is not trusted'],
    ['iss that every object has', { ...good, iss: 'constructor' }, 'the issuer is not trusted'],
    ['no iss', without('iss'), 'the issuer is not trusted'],
    ['no sub', without('sub'), 'sub is missing or no text'],
    ['an empty sub', { ...good, sub: '' }, 'sub is missing or no text'],
    ['no aud', without('aud'), 'aud is missing or of the wrong form'],
    ['no exp', without('exp'), 'exp is missing or no time'],
    ['exp as text', { ...good, exp: String(now + 60) }, 'exp is missing or no time'],
    ['exp past', { ...good, exp: now - 31 }, 'exp is past'],
    ['no iat', without('iat'), 'iat is missing'],
    ['iat in the future', { ...good, iat: now + 31 }, 'iat is in the future'],
    ['nbf in the future', { ...good, nbf: now + 31 }, 'nbf is in the future'],
    ['a long life', { ...good, exp: now + 3600 }, 'it lives longer than maxAssertionSeconds'],
    ['no jti', without('jti'), "jti is missing, and this issuer's assertions are taken once only"],
  ])('is refused with %s', async (_, claims, reason) => {
    expect(await reasonOf(await sign(claims))).toBe(reason)
  })

  it('is taken just inside each bound', async () => {
    for (const claims of [
      { ...good, exp: now - 29 },
      { ...good, iat: now + 29 },
      { ...good, nbf: now + 29 },
      { ...good, exp: now + 3590 },
    ])
      expect(await reasonOf(await sign(claims))).toBe('verified')
  })

  it('is taken for what the issuer is trusted for and nothing else', async () => {
    expect(await reasonOf(await sign({ ...good, iss: 'https://people.example' }))).toBe(
      'the issuer is not trusted for workload assertions',
    )
    expect(await reasonOf(await sign({ ...good, iss: 'https://reusable.example' }, { typ: 'oauth-id-jag+jwt' }))).toBe(
      'the issuer is not trusted for id-jag assertions',
    )
  })

  it.each(['at+jwt', 'dpop+jwt', 'logout+jwt', 'id_token'])('of type %s is another kind of token', async (typ) => {
    expect(await reasonOf(await sign(good, { typ }))).toBe('typ is that of another kind of token')
  })

  it.each(['JWT', 'jwt', 'JOSE', 'application/jwt'])('may be of type %s', async (typ) => {
    expect(await reasonOf(await sign(good, { typ }))).toBe('verified')
  })

  it('needs no jti and may come again where the issuer reuses them', async () => {
    const outcome = await verify(await sign({ ...without('jti'), iss: 'https://reusable.example' }))
    expect(outcome).toMatchObject({ ok: true, assertion: { singleUseId: null } })
  })

  it('cannot be judged while the keys of its issuer cannot be had', async () => {
    expect(await verify(await sign({ ...good, iss: 'https://down.example' }))).toMatchObject({
      ok: false,
      code: 'unavailable',
    })
  })
})

describe('a forged assertion', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

  it('without a signature is refused', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      expect(await reasonOf(`${part({ alg })}.${part(good)}.`)).toBe('not a signed JWT')
      expect(await reasonOf(`${part({ alg })}.${part(good)}.AA`)).toBe('alg is not one of the issuer')
    }
  })

  it('with the public key as shared secret is refused', async () => {
    const input = `${part({ alg: 'HS256', kid: 'k1' })}.${part(good)}`
    const mac = createHmac('sha256', JSON.stringify(publicJwk)).update(input).digest('base64url')
    expect(await reasonOf(`${input}.${mac}`)).toBe('alg is not one of the issuer')
  })

  it('that brings its own key is refused, wherever it says that the key is', async () => {
    const own = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1' }
    for (const header of [
      { jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://evil.example/c' },
      { kid: '../../k1' },
      { kid: "k1' OR '1'='1" },
    ])
      expect(await reasonOf(await sign(good, header as never, own.privateKey))).toMatch(
        /signature is not good|no key of the issuer/,
      )
  })

  it('with changed claims is refused', async () => {
    const [head, , tail] = (await sign(good)).split('.')
    expect(await reasonOf(`${head}.${part({ ...good, sub: 'root' })}.${tail}`)).toBe('the signature is not good')
  })

  it('with an extension that must be understood is refused', async () => {
    const text = await new SignJWT(good)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', crit: ['b64'], b64: true })
      .sign(privateKey)
    expect(await reasonOf(text)).toBe('not a signed JWT')
  })

  it.each(['', 'a', 'a.b', 'a.b.c', 'a.b.c.d', 'a.b.c.d.e', '\u0000', `${'a'.repeat(9000)}.${'a'.repeat(9000)}.a`])(
    '%# is none at all',
    async (text) => {
      expect(await reasonOf(text)).toBe('not a signed JWT')
    },
  )

  it('whose claims are no object, or no Unicode, is none at all', async () => {
    const header = part({ alg: 'ES256' })
    for (const payload of ['[]', '7', 'null', '"a"', ' ', '{']) {
      expect(await reasonOf(`${header}.${Buffer.from(payload).toString('base64url')}.AA`)).toBe('not a signed JWT')
    }
    expect(await reasonOf(`${header}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.AA`)).toBe(
      'not a signed JWT',
    )
  })
})

describe('an assertion of a platform', () => {
  const svid = { sub: 'spiffe://example.org/ns/ci/sa/job', aud: [here], exp: now + 300 }

  it('SPIFFE needs neither iss nor iat nor jti', async () => {
    expect(await verify(await sign(svid))).toMatchObject({
      ok: true,
      assertion: { subject: svid.sub, singleUseId: null },
    })
    expect(await reasonOf(await sign({ ...svid, iss: 'spiffe://example.org' }))).toBe('verified')
  })

  it.each(['spiffe://other.org/a', 'spiffe://example.org', 'spiffe://example.org/a/../b', 'job'])(
    'SPIFFE is not %s',
    async (sub) => {
      expect(await reasonOf(await sign({ ...svid, sub }))).toMatch(/not trusted/)
      expect(await reasonOf(await sign({ ...svid, sub, iss: 'spiffe://example.org' }))).toBe(
        'sub is no SPIFFE ID of the trust domain',
      )
    },
  )

  it('SPIFFE must be short-lived from now on where it does not say since when it is good', async () => {
    expect(await reasonOf(await sign({ ...svid, exp: now + 3601 }))).toBe('it lives longer than maxAssertionSeconds')
  })

  it('Kubernetes is about a service account', async () => {
    const token = { ...good, iss: 'https://cluster.example', sub: 'system:serviceaccount:ci:deployer' }
    expect(await reasonOf(await sign(token))).toBe('verified')
    expect(await reasonOf(await sign({ ...token, sub: 'system:node:worker' }))).toBe('sub is no service account')
  })
})
