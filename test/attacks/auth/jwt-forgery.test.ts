import { createHmac, createPublicKey, createSecretKey, verify, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startForeignIssuer, type ForeignIssuer } from '../../support/foreign-issuer.ts'
import { sendRaw } from '../../support/http-harness.ts'
import { createJwsSigner, type JwsSigner } from '../../support/jws-signer.ts'
import { addCredential, startTokenDoor, type TokenDoor } from '../../support/token-door.ts'

// A4 and A5 of design/threats.md: tokens that nobody issued, or that were issued for something else. Every forged one
// has the claims of a good one.

const networks = ['127.0.0.0/8']
let door: TokenDoor
let issuer: ForeignIssuer
let second: ForeignIssuer
let attackersKeys: Server
let attackersKeysUrl: string
let fetchedFromAttacker = 0
const attacker = createJwsSigner()

beforeAll(async () => {
  issuer = await startForeignIssuer()
  second = await startForeignIssuer()
  door = await startTokenDoor({ issuers: [issuer, second].map((one) => ({ issuer: one.issuer, networks })) })
  await addCredential(door.registry, 'binding', { issuer: issuer.issuer, match: { sub: 'workload' } })
  attackersKeys = createServer((_, response) => {
    fetchedFromAttacker += 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: [{ ...attacker.publicJwk, kid: 'own' }] }))
  })
  attackersKeys.listen(0, '127.0.0.1')
  await once(attackersKeys, 'listening')
  attackersKeysUrl = `http://127.0.0.1:${(attackersKeys.address() as AddressInfo).port}/jwks`
})
afterAll(async () => {
  attackersKeys.close()
  await Promise.all([door.close(), issuer.close(), second.close()])
})

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

/** What becomes of a call with the token; anything but `taken` and `refused` is a fault of the door. */
async function verdict(token: string): Promise<string> {
  const { status, text, headers } = await door.call(`Bearer ${token}`)
  if (status === 200 && text.includes('said')) return 'taken'
  const isChallenged = String(headers['www-authenticate']).includes('error="invalid_token"')
  return status === 401 && isChallenged && !text.includes('said') ? 'refused' : `${status} ${text}`
}

/** What a verifier does that believes the header: the attacks below are good for it. */
function naivelyGood(token: string, publicKey: KeyObject): boolean {
  const [head = '', body = '', signature = ''] = token.split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as { alg: string; jwk?: object }
  if (header.alg.toLowerCase() === 'none') return true
  if (header.alg === 'HS256') {
    const secret = createSecretKey(Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })))
    return createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url') === signature
  }
  const key = header.jwk === undefined ? publicKey : createPublicKey({ key: header.jwk as never, format: 'jwk' })
  return verify(
    'sha256',
    Buffer.from(`${head}.${body}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
}

describe('a token without a signature', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', ''])('and with alg %j is refused', async (alg) => {
    for (const signature of ['', 'AAAA']) {
      const token = `${part({ alg, typ: 'at+jwt', kid: 'own' })}.${part(claimsOf(door.token()))}.${signature}`
      expect(await verdict(token)).toBe('refused')
    }
  })

  it('is what a naive verifier takes, and with the signature it is taken', async () => {
    const token = door.token()
    const forged = `${part({ alg: 'none' })}.${token.split('.')[1] ?? ''}.`
    expect(naivelyGood(forged, door.signer.publicKey)).toBe(true)
    expect(await verdict(`${token.split('.').slice(0, 2).join('.')}.`)).toBe('refused')
    expect(await verdict(token)).toBe('taken')
  })
})

describe('a token with another algorithm than that of the key', () => {
  function hmacToken(secret: string | Buffer): string {
    const input = `${part({ alg: 'HS256', typ: 'at+jwt', kid: 'own' })}.${part(claimsOf(door.token()))}`
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  }

  it('is refused where the public key was used as a shared secret', async () => {
    const { publicKey } = door.signer
    const forms = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(door.signer.publicJwk),
      '',
    ]
    for (const secret of forms) expect(await verdict(hmacToken(secret))).toBe('refused')
    expect(naivelyGood(hmacToken(publicKey.export({ type: 'spki', format: 'pem' })), publicKey)).toBe(true)
  })

  it.each(['ES384', 'RS256', 'EdDSA', 'es256', 'ES256K', 'HS256', 'RSA-OAEP', '__proto__', 'constructor'])(
    'is refused as %s',
    async (alg) => {
      expect(await verdict(door.token({}, { alg }))).toBe('refused')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { alg }))).toBe('refused')
    },
  )

  it('is taken with its own', async () => {
    expect(await verdict(door.token())).toBe('taken')
    expect(await verdict(issuer.sign(`${door.url}/mcp/demo`))).toBe('taken')
  })
})

describe('a token whose header brings or names a key', () => {
  it('is refused with a key embedded, though its signature is good by that key', async () => {
    const token = door.token({}, { jwk: attacker.publicJwk }, attacker)
    expect(naivelyGood(token, door.signer.publicKey)).toBe(true)
    expect(await verdict(token)).toBe('refused')
    expect(await verdict(door.token({}, { jwk: attacker.publicJwk }))).toBe('taken')
  })

  it('is refused with a place to fetch keys from, and nothing is fetched', async () => {
    for (const header of [{ jku: attackersKeysUrl }, { x5u: attackersKeysUrl }, { x5c: ['AAAA'], 'x5t#S256': 'AAAA' }])
      expect(await verdict(door.token({}, header, attacker))).toBe('refused')
    for (const [name, value] of Object.entries({ jku: attackersKeysUrl, x5u: attackersKeysUrl })) {
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { kid: 'unknown', [name]: value }))).toBe('refused')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { [name]: value }))).toBe('taken')
    }
    expect(fetchedFromAttacker).toBe(0)
    // The allowed twin of the fetch: whoever asks there gets the attacker's keys.
    expect(((await (await fetch(attackersKeysUrl)).json()) as { keys: object[] }).keys).toHaveLength(1)
  })

  it.each([
    '../../../../etc/passwd',
    '/dev/null',
    "' OR '1'='1",
    "own'; DROP TABLE signing_keys; --",
    'own\u0000',
    '__proto__',
    'constructor',
    `http://127.0.0.1/keys`,
    '$(touch /tmp/x)',
    '',
    'a'.repeat(4000),
  ])('is refused with kid %j, and as before with its own', async (kid) => {
    expect(await verdict(door.token({}, { kid }, attacker))).toBe('refused')
    expect(await verdict(door.token({}, { kid }))).toBe('refused')
    expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { kid }))).toBe('refused')
    expect(await verdict(door.token())).toBe('taken')
  })

  it.each([[['own']], [{ own: true }], [1], [null], [true]])('is refused with %j for a kid', async (kid) => {
    expect(await verdict(door.token({}, { kid: kid as never }))).toBe('refused')
    expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { kid: kid as never }))).toBe('refused')
  })

  it.each([{ crit: ['exp'], exp: 1 }, { crit: [] }, { b64: false }, { b64: true, crit: ['b64'] }])(
    'is refused with %j, which asks for what is not understood',
    async (header) => {
      expect(await verdict(door.token({}, header))).toBe('refused')
    },
  )
})

describe('a token of somebody else', () => {
  it('is refused where another issuer signed it, in either name', async () => {
    expect(await verdict(second.sign(`${door.url}/mcp/demo`, { iss: issuer.issuer }))).toBe('refused')
    expect(
      await verdict(
        second.sign(`${door.url}/mcp/demo`, {
          iss: door.url,
          mcpworks_credential: door.credential.id,
          sub: 'demo/analyst',
        }),
      ),
    ).toBe('refused')
    expect(await verdict(door.token({ iss: issuer.issuer }))).toBe('refused')
    // No binding names the second issuer: it may speak, and nobody is listening.
    expect(await verdict(second.sign(`${door.url}/mcp/demo`))).toBe('refused')
    expect(await verdict(issuer.sign(`${door.url}/mcp/demo`))).toBe('taken')
  })

  it.each(['', '/', '/.well-known', '#', '?x', '@evil.example'])(
    'is refused with the issuer and "%s" behind',
    async (more) => {
      if (more !== '')
        expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, { iss: `${issuer.issuer}${more}` }))).toBe('refused')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, { iss: [issuer.issuer] }))).toBe('refused')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, { iss: undefined }))).toBe('refused')
    },
  )

  it('is refused where it names another principal than its credential has', async () => {
    const other = await addCredential(door.registry, 'client', {}, ['mcp'], 'other')
    expect(await verdict(door.token({ sub: 'other/analyst' }))).toBe('refused')
    expect(await verdict(door.token({ mcpworks_credential: other.id }))).toBe('refused')
    expect(await verdict(door.token({ mcpworks_credential: undefined }))).toBe('refused')
    expect(
      await verdict(
        issuer.sign(`${door.url}/mcp/demo`, { sub: 'demo/analyst', mcpworks_credential: door.credential.id }),
      ),
    ).toBe('refused')
    expect(await verdict(door.token())).toBe('taken')
  })

  it('gains no scope that its credential does not have', async () => {
    const narrow = await addCredential(door.registry, 'client', {}, ['mcp'])
    const headers = (token: string): string[] => ['Authorization', `Bearer ${token}`]
    const manage = (token: string) => sendRaw(door.harness.port, { path: '/api/v1/doctor', headers: headers(token) })
    const claims = { aud: `${door.url}/api`, scope: 'mcp admin' }
    expect((await manage(door.token({ ...claims, mcpworks_credential: narrow.id }))).status).toBe(403)
    expect((await manage(door.token(claims))).status).not.toBe(403)
  })
})

describe('a token for something else', () => {
  it.each([
    ['another resource here', () => `${door.url}/mcp/other`],
    ['a look-alike', () => `${door.url}/mcp/demo.evil.example`],
    ['another case', () => `${door.url}/mcp/demo`.toUpperCase()],
    ['a query', () => `${door.url}/mcp/demo?x`],
    ['another server', () => 'https://b.example/mcp/demo'],
    ['no text', () => ({ url: 'x' })],
  ])('is refused with %s as audience', async (_, audience) => {
    expect(await verdict(door.token({ aud: audience() as never }))).toBe('refused')
    expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, { aud: audience() as never }))).toBe('refused')
  })

  it.each(['JWT', 'dpop+jwt', 'id_token', 'logout+jwt', 'oauth-id-jag+jwt', 'at+jwt ', '', undefined])(
    'is refused with typ %j',
    async (typ) => {
      expect(await verdict(door.token({}, { typ }))).toBe('refused')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { typ }))).toBe('refused')
    },
  )

  it('is taken with typ in any case and in full', async () => {
    for (const typ of ['AT+JWT', 'application/at+jwt']) {
      expect(await verdict(door.token({}, { typ }))).toBe('taken')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, {}, { typ }))).toBe('taken')
    }
  })
})

describe('a token out of its time', () => {
  const nowSeconds = (): number => Math.floor(Date.now() / 1000)

  it('is refused: expired, not yet good, from the future, without an end or with one that is no time', async () => {
    for (const claims of [
      { exp: nowSeconds() - 60 },
      { nbf: nowSeconds() + 60 },
      { iat: nowSeconds() + 60 },
      { exp: undefined },
      { exp: '9999999999' },
      { exp: null },
      { exp: -1 },
    ]) {
      expect(await verdict(door.token(claims))).toBe('refused')
      expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, claims))).toBe('refused')
    }
  })

  it('is taken within the difference of clocks that is configured, from foreign issuers only', async () => {
    expect(await verdict(issuer.sign(`${door.url}/mcp/demo`, { exp: nowSeconds() - 10, iat: nowSeconds() + 10 }))).toBe(
      'taken',
    )
    expect(await verdict(door.token({ exp: nowSeconds() - 10 }))).toBe('refused')
  })
})

describe('a token in another place than the header', () => {
  it('is not looked at', async () => {
    const token = door.token()
    const { port } = door.harness
    const places = [
      { path: `/mcp/demo?access_token=${token}` },
      { path: '/mcp/demo', headers: ['Cookie', `access_token=${token}`] },
      { path: '/mcp/demo', headers: ['X-Access-Token', token, 'Proxy-Authorization', `Bearer ${token}`] },
      {
        path: '/mcp/demo',
        headers: ['Content-Type', 'application/x-www-form-urlencoded'],
        body: `access_token=${token}`,
      },
    ]
    for (const place of places) expect((await sendRaw(port, { method: 'POST', ...place })).status).toBe(401)
    for (const scheme of ['Basic', 'Token', 'JWT', 'Bearer:', 'BearerX']) {
      expect((await door.call(`${scheme} ${token}`)).status).toBe(401)
    }
    for (const scheme of ['bearer', 'BEARER']) expect((await door.call(`${scheme} ${token}`)).status).toBe(200)
  })
})

describe('weak keys', () => {
  it('of an issuer are not used', async () => {
    const { createKeySet } = await import('../../../src/auth/resource-server/key-set.ts')
    const { generateKeyPairSync } = await import('node:crypto')
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
    const strong = (signer: JwsSigner) => ({ ...signer.publicJwk, kid: 'strong' })
    const published = [
      { ...weak, kid: 'weak' },
      strong(createJwsSigner('RS256')),
      { kty: 'oct', k: 'AAAA', kid: 'secret' },
    ]
    const clock = { nowMs: () => 0, monotonicMs: () => 0 }
    const keys = createKeySet({
      fetchKeys: async () => ({ keys: published as never }),
      clock,
      freshSeconds: 10,
      keptSeconds: 10,
    })
    expect(await keys.find('weak', 'RS256')).toEqual({ ok: false, why: 'unknown' })
    expect(await keys.find('secret', 'RS256')).toEqual({ ok: false, why: 'unknown' })
    expect(await keys.find('strong', 'RS256')).toMatchObject({ ok: true })
    expect(await keys.find('strong', 'ES256')).toEqual({ ok: false, why: 'unknown' })
  })
})
