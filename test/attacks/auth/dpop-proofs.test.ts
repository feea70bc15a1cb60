import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifies } from '../../conformance/requirements.ts'
import { sendRaw } from '../../support/http-harness.ts'
import { createJwsSigner, type JwsSigner, type ProofWishes } from '../../support/jws-signer.ts'
import { startTokenDoor, type TokenDoor } from '../../support/token-door.ts'

// A4 of design/threats.md: a stolen access token that is bound to a key, with every proof that its thief could try.

let door: TokenDoor
let key: JwsSigner
let token: string
const thief = createJwsSigner()
beforeAll(async () => {
  door = await startTokenDoor()
  key = createJwsSigner()
  token = door.token({ cnf: { jkt: key.thumbprint } })
})
afterAll(() => door.close())

/** What becomes of a call with the proof; anything but `taken` and `refused` is a fault of the door. */
async function verdict(proof: string | null): Promise<string> {
  const { status, text, headers } = await door.call(`DPoP ${token}`, proof)
  if (status === 200 && text.includes('said')) return 'taken'
  const isChallenged = /DPoP [^,]*, error="invalid_dpop_proof"/.test(String(headers['www-authenticate']))
  return status === 401 && isChallenged && !text.includes('said') ? 'refused' : `${status} ${text}`
}

/** The same for a proof that is right but for the wishes. */
const changed = (wishes: ProofWishes = {}): Promise<string> => verdict(door.proof(key, token, wishes))
const nowSeconds = (): number => Math.floor(Date.now() / 1000)

describe('a bound token', () => {
  it(verifies('dpop-bound', 'is refused as Bearer, with a good proof too, and taken as DPoP'), async () => {
    for (const proof of [null, door.proof(key, token)]) {
      const answer = await door.call(`Bearer ${token}`, proof)
      expect(answer.status).toBe(401)
      expect(String(answer.headers['www-authenticate'])).toContain('error="invalid_token"')
    }
    expect(await changed()).toBe('taken')
  })

  it('is refused without a proof', async () => {
    expect(await verdict(null)).toBe('refused')
  })

  it("is refused with a thief's own proof, also where the thief claims the right key", async () => {
    expect(await verdict(door.proof(thief, token))).toBe('refused')
    expect(await verdict(door.proof(thief, token, { header: { jwk: key.publicJwk } }))).toBe('refused')
    expect(await changed()).toBe('taken')
  })

  it('is refused with two proofs, in two headers or in one', async () => {
    const [one, other] = [door.proof(key, token), door.proof(key, token)]
    expect(await verdict(`${one}, ${other}`)).toBe('refused')
    expect(await verdict(`${one},${other}`)).toBe('refused')
    const answer = await sendRaw(door.harness.port, {
      method: 'POST',
      path: '/mcp/demo',
      headers: ['Authorization', `DPoP ${token}`, 'DPoP', one, 'DPoP', other],
    })
    expect(answer.status).toBe(401)
    expect(await verdict(one)).toBe('taken')
  })
})

describe('an unbound token', () => {
  it('is refused as DPoP, with a proof or without, and taken as Bearer', async () => {
    const unbound = door.token()
    for (const proof of [null, door.proof(thief, unbound)])
      expect((await door.call(`DPoP ${unbound}`, proof)).status).toBe(401)
    expect((await door.call(`Bearer ${unbound}`)).status).toBe(200)
  })

  it('is not made one by a cnf that is not understood', async () => {
    for (const cnf of [
      {},
      { jkt: 'short' },
      { jwk: thief.publicJwk },
      { kid: 'x' },
      'x',
      [],
      null,
      { jkt: thief.thumbprint, kid: 'x' },
    ]) {
      const odd = door.token({ cnf: cnf as never })
      expect([cnf, (await door.call(`Bearer ${odd}`)).status]).toEqual([cnf, 401])
    }
  })

  it('of an API key is no DPoP token either', async () => {
    const { text } = await door.registry.createKey('demo/analyst', { label: '', scopes: ['mcp'], expiresAtMs: null })
    expect((await door.call(`DPoP ${text}`, door.proof(thief, text))).status).toBe(401)
    expect((await door.call(`Bearer ${text}`)).status).toBe(200)
  })
})

describe('a proof used before', () => {
  it('is refused, also when both come at once, and a new one is taken', async () => {
    const proof = door.proof(key, token)
    expect(await verdict(proof)).toBe('taken')
    expect(await verdict(proof)).toBe('refused')
    const again = door.proof(key, token)
    const answers = await Promise.all([1, 2, 3, 4].map(() => door.call(`DPoP ${token}`, again)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401])
    expect(await changed()).toBe('taken')
  })

  it('is refused by its jti alone, whatever else is new', async () => {
    expect(await changed({ claims: { jti: 'the-same' } })).toBe('taken')
    expect(await changed({ claims: { jti: 'the-same', iat: nowSeconds() - 1 } })).toBe('refused')
    expect(await changed({ claims: { jti: 'the-same', more: 'x' } })).toBe('refused')
    expect(await changed({ claims: { jti: 'another' } })).toBe('taken')
  })

  it('of somebody else does not use up the jti of a good caller', async () => {
    const theirs = door.token({ cnf: { jkt: thief.thumbprint } })
    const proof = door.proof(thief, theirs, { claims: { jti: 'shared' } })
    expect((await door.call(`DPoP ${theirs}`, proof)).status).toBe(200)
    expect(await changed({ claims: { jti: 'shared' } })).toBe('taken')
  })

  it('and refused for something else can be sent right', async () => {
    expect(await changed({ claims: { jti: 'kept', htm: 'GET' } })).toBe('refused')
    expect(await changed({ claims: { jti: 'kept' } })).toBe('taken')
  })

  it('before a restart is refused: what was remembered then is gone', async () => {
    const proof = door.proof(key, token, { claims: { iat: nowSeconds() - 60 } })
    expect(await verdict(proof)).toBe('refused')
  })
})

describe('a proof for another request', () => {
  it('by htm is refused', async () => {
    for (const htm of ['GET', 'post', 'PUT', '', undefined, ['POST']])
      expect(await changed({ claims: { htm } })).toBe('refused')
    expect(await changed({ claims: { htm: 'POST' } })).toBe('taken')
  })

  it('by htu is refused', async () => {
    const url = `${door.url}/mcp/demo`
    const others = [
      `${door.url}/mcp/other`,
      `${url}/`,
      url.replace('127.0.0.1', 'localhost'),
      url.replace('http:', 'https:'),
      url.replace('127.0.0.1', 'user@127.0.0.1'),
      `${door.url}/mcp//demo`,
      `${door.url}/MCP/demo`,
      `${door.url}/mcp/demo%2f`,
      'https://evil.example/mcp/demo',
      '/mcp/demo',
      `${url}\\`,
      ` ${url}`,
      '',
    ]
    for (const htu of [...others, undefined, [url]]) expect(await changed({ claims: { htu } })).toBe('refused')
  })

  it('is taken where htu is the same by RFC 3986, and query and fragment do not count', async () => {
    const url = `${door.url}/mcp/demo`
    for (const htu of [
      `${url}?x=1`,
      `${url}#x`,
      url.replace('http:', 'HTTP:'),
      `${door.url}/x/../mcp/demo`,
      `${door.url}/mcp/%64emo`,
    ])
      expect(await changed({ claims: { htu } })).toBe('taken')
  })

  it('is not taken for one whose Host the caller chose', async () => {
    const { port } = door.harness
    const proof = door.proof(key, token, { claims: { htu: `http://localhost:${port}/mcp/demo` } })
    const answer = await sendRaw(port, {
      method: 'POST',
      path: '/mcp/demo',
      headers: [
        'Host',
        `localhost:${port}`,
        'X-Forwarded-Host',
        `localhost:${port}`,
        'Authorization',
        `DPoP ${token}`,
        'DPoP',
        proof,
      ],
    })
    expect(answer.status).toBe(401)
  })

  it('by ath is refused', async () => {
    const hash = (text: string): string => createHash('sha256').update(text).digest('base64url')
    for (const ath of [hash('another'), hash(token).slice(0, 42), `${hash(token)}=`, '', undefined, [hash(token)]])
      expect(await changed({ claims: { ath } })).toBe('refused')
    expect(await changed({ claims: { ath: hash(token) } })).toBe('taken')
  })
})

describe('a proof out of its time', () => {
  it('is refused: stale, from the future, or with no time', async () => {
    for (const iat of [nowSeconds() - 302, nowSeconds() + 310, 0, undefined, String(nowSeconds()), null])
      expect(await changed({ claims: { iat } })).toBe('refused')
    expect(await changed({ claims: { iat: nowSeconds() + 290 } })).toBe('taken')
  })

  it('is taken 295 seconds old by a server that remembers as long', async () => {
    const old = door.proof(key, token)
    const stale = door.proof(key, token)
    door.clock.offsetMs = 295_000
    expect((await door.call(`DPoP ${token}`, old)).status).toBe(200)
    expect((await door.call(`DPoP ${token}`, old)).status).toBe(401)
    door.clock.offsetMs = 302_000
    const fresh = door.token({ cnf: { jkt: key.thumbprint } })
    const ath = createHash('sha256').update(fresh).digest('base64url')
    expect((await door.call(`DPoP ${fresh}`, stale)).status).toBe(401)
    expect((await door.call(`DPoP ${fresh}`, door.proof(key, fresh, { claims: { ath } }))).status).toBe(200)
    door.clock.offsetMs = 0
  })
})

describe('a proof of another form', () => {
  it('is refused by typ', async () => {
    for (const typ of ['JWT', 'at+jwt', 'DPOP+JWT', 'application/dpop+jwt', '', undefined])
      expect(await changed({ header: { typ } })).toBe('refused')
    expect(await changed({ header: { typ: 'dpop+jwt' } })).toBe('taken')
  })

  it('is refused by alg: none, a shared secret, that of another key', async () => {
    for (const alg of ['none', 'HS256', 'RS256', 'ES384', 'EdDSA', '', undefined])
      expect(await changed({ header: { alg } })).toBe('refused')
  })

  it('is refused where jwk is private, symmetric, another kind of key, or missing', async () => {
    const { x, y: _, ...rest } = key.publicJwk
    for (const jwk of [
      key.privateJwk,
      { kty: 'oct', k: Buffer.from('secret').toString('base64url') },
      { ...rest, x, y: x },
      { ...key.publicJwk, crv: 'P-384' },
      { ...key.publicJwk, crv: 'secp256k1' },
      { ...key.publicJwk, kty: '__proto__' },
      { ...rest },
      'x',
      [],
      null,
      undefined,
    ]) {
      expect(await changed({ header: { jwk: jwk as never } })).toBe('refused')
    }
    expect(await changed()).toBe('taken')
  })

  it('is refused with crit, and taken with members that mean nothing here', async () => {
    expect(await changed({ header: { crit: ['x'], x: 1 } })).toBe('refused')
    expect(await changed({ header: { kid: 'x', jku: 'https://evil.example/keys' } })).toBe('taken')
    expect(await changed({ header: { jwk: { ...key.publicJwk, kid: 'x', use: 'sig', alg: 'ES256' } } })).toBe('taken')
  })

  it('is refused without jti, with an empty or an endless one', async () => {
    for (const jti of [undefined, '', 1, 'a'.repeat(513), ['a']])
      expect(await changed({ claims: { jti } })).toBe('refused')
    expect(await changed({ claims: { jti: 'a'.repeat(512) } })).toBe('taken')
  })

  it.each(['', 'a', 'a.b', 'a.b.c', '...', 'e30.e30.', 'null', '\u00e9'])('is refused as %j', async (text) => {
    expect(await verdict(text)).toBe('refused')
  })
})

describe('a server that asks for nonces', () => {
  let strict: TokenDoor
  let bound: string
  beforeAll(async () => {
    strict = await startTokenDoor({ dpop: { nonce: 'required', nonceSeconds: 100 } })
    bound = strict.token({ cnf: { jkt: key.thumbprint } })
  })
  afterAll(() => strict.close())

  const call = (nonce: unknown) =>
    strict.call(`DPoP ${bound}`, strict.proof(key, bound, { claims: { nonce: nonce as never } }))

  it(verifies('dpop-nonce', 'refuses a proof without one and names it, and takes the next proof with it'), async () => {
    const refused = await call(undefined)
    expect([refused.status, String(refused.headers['www-authenticate'])]).toEqual([
      401,
      expect.stringMatching(/DPoP [^,]*, error="use_dpop_nonce"/),
    ])
    const nonce = String(refused.headers['dpop-nonce'])
    const taken = await call(nonce)
    expect([taken.status, taken.headers['dpop-nonce']]).toEqual([200, undefined])
  })

  it('refuses made-up ones and old ones, and hands out a new one while the former is still good', async () => {
    for (const nonce of ['x', '', 1, ['x']]) expect((await call(nonce)).status).toBe(401)
    strict.clock.offsetMs = 0
    const nonce = String((await call('x')).headers['dpop-nonce'])
    strict.clock.offsetMs = 100_000
    const taken = await call(nonce)
    expect(taken.status).toBe(200)
    expect(taken.headers['dpop-nonce']).not.toBe(nonce)
    strict.clock.offsetMs = 200_000
    const late = await call(nonce)
    expect([late.status, String(late.headers['www-authenticate'])]).toEqual([
      401,
      expect.stringContaining('use_dpop_nonce'),
    ])
    expect((await call(late.headers['dpop-nonce'])).status).toBe(200)
  })
})
