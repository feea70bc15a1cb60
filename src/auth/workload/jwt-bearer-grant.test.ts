import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject, Scope } from '../../kernel/index.ts'
import type { TokenGrant, TokenGrantAnswer, TokenGrantRequest } from '../authorization-server/token-grant.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import { createIssuerKeys } from './create-issuer-keys.ts'
import { issuerConfigSchema } from './issuer-config.ts'
import { createJwtBearerGrant } from './jwt-bearer-grant.ts'
import { trustIssuers } from './trust-issuers.ts'
import { createVerifyAssertion } from './verify-assertion.ts'

const nowMs = 1_800_000_000_000
const now = nowMs / 1000
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
const here = 'https://mcp.example.org'
const demo = `${here}/mcp/demo`
const secondIssuer = 'https://second.example'

let privateKey: CryptoKey
let grant: TokenGrant
let bindings: ActiveCredential[]
let used: Set<string>

function bind(
  id: string,
  principalId: string,
  match: JsonObject,
  issuer = 'https://issuer.example',
  scopes: Scope[] = ['mcp'],
): void {
  const namespace = principalId.split('/')[0] ?? ''
  bindings.push({
    credential: { id, kind: 'binding', principalId, scopes, details: { issuer, match } },
    principal: { type: 'agent', id: principalId, namespace },
    scopes,
  } as unknown as ActiveCredential)
}

beforeAll(async () => {
  const pair = await generateKeyPair('Ed25519', { extractable: true })
  privateKey = pair.privateKey
  const keys = [{ ...(await exportJWK(pair.publicKey)), kid: 'k1' }]
  const { issuers } = trustIssuers(
    [
      { issuer: 'https://issuer.example', keys, algorithms: ['Ed25519'], identityAssertions: true },
      { issuer: secondIssuer, keys, algorithms: ['Ed25519'] },
      { issuer: 'https://reusable.example', keys, algorithms: ['Ed25519'], jti: 'reusable' },
      { issuer: 'https://down.example', algorithms: ['Ed25519'] },
    ].map((config) => issuerConfigSchema.parse(config)),
  )
  grant = createJwtBearerGrant({
    takesIdentities: true,
    verify: createVerifyAssertion({
      issuers,
      keysOf: createIssuerKeys(issuers, {
        tokens: { keysFreshSeconds: 60, keysKeptSeconds: 60 },
        guardedFetch: async () => ({ ok: false, reason: 'unreachable' }),
        clock,
      }),
      clock,
    }),
    registry: { listActiveCredentials: () => bindings },
    used: {
      async claim(issuer, id) {
        const key = JSON.stringify([issuer, id])
        if (used.has(key)) return false
        used.add(key)
        return true
      },
    },
    clock,
  })
})

beforeEach(() => {
  used = new Set()
  bindings = []
  bind('b1', 'demo/deployer', { sub: 'job-7' })
})

const good: JsonObject = {
  iss: 'https://issuer.example',
  sub: 'job-7',
  aud: here,
  iat: now,
  exp: now + 300,
  jti: 'one',
}

function sign(claims: JsonObject, header: JsonObject = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'Ed25519', kid: 'k1', ...header }).sign(privateKey)
}

async function ask(
  assertion: string,
  {
    parameters = {},
    ...more
  }: Partial<Omit<TokenGrantRequest, 'parameters'>> & { parameters?: Record<string, string> } = {},
): Promise<TokenGrantAnswer> {
  return grant.handle({
    parameters: new Map(Object.entries({ assertion, ...parameters }).filter(([, value]) => value !== '')),
    resources: [demo],
    client: null,
    dpopThumbprint: null,
    certificateSha256: null,
    issuer: here,
    tokenEndpoint: `${here}/oauth/token`,
    address: '127.0.0.1',
    ...more,
  })
}

describe('an assertion of a workload', () => {
  it('becomes a token of the agent that it is bound to, without a client', async () => {
    expect(await ask(await sign(good))).toEqual({
      ok: true,
      order: {
        credentialId: 'b1',
        clientId: 'b1',
        resource: demo,
        scopes: null,
        lifetimeSeconds: null,
        act: null,
        facts: { assertion: 'workload', issuer: 'https://issuer.example', subject: 'job-7' },
      },
    })
  })

  it('is taken once, by the issuer and jti, and the next one again', async () => {
    const text = await sign(good)
    expect(await ask(text)).toMatchObject({ ok: true })
    expect(await ask(text)).toMatchObject({ error: 'invalid_grant', reason: 'the assertion was used before' })
    expect(await ask(await sign({ ...good, exp: now + 301 }))).toMatchObject({ error: 'invalid_grant' })
    expect(await ask(await sign({ ...good, jti: 'two' }))).toMatchObject({ ok: true })
    bind('b2', 'demo/deployer', { sub: 'job-7' }, secondIssuer)
    expect(await ask(await sign({ ...good, iss: secondIssuer }))).toMatchObject({ ok: true })
  })

  it('is not used up by a request that is refused', async () => {
    const text = await sign(good)
    expect(await ask(text, { resources: [`${here}/mcp/other`] })).toMatchObject({ ok: false })
    expect(await ask(text, { parameters: { scope: 'admin' } })).toMatchObject({ error: 'invalid_scope' })
    expect(await ask(text)).toMatchObject({ ok: true })
  })

  it('may come again where its issuer reuses them', async () => {
    bind('b2', 'demo/deployer', { sub: 'job-7' }, 'https://reusable.example')
    const text = await sign({ ...good, iss: 'https://reusable.example' })
    expect(await ask(text)).toMatchObject({ ok: true })
    expect(await ask(text)).toMatchObject({ ok: true })
  })

  it('gets nothing without a binding, and the client does not learn why', async () => {
    const unbound = await ask(await sign({ ...good, sub: 'job-8' }))
    const forged = await ask(`${(await sign(good)).slice(0, -4)}AAAA`)
    expect(unbound).toMatchObject({
      error: 'invalid_grant',
      reason: 'no binding matches; nearest b1 of demo/deployer: sub different',
    })
    expect(forged).toMatchObject({ error: 'invalid_grant', reason: 'the signature is not good' })
    expect({ ...unbound, reason: '' }).toEqual({ ...forged, reason: '' })
  })

  it('of another trusted issuer with the same subject is not that of the binding', async () => {
    expect(await ask(await sign({ ...good, iss: secondIssuer }))).toMatchObject({
      error: 'invalid_grant',
      reason: 'no binding names this issuer',
    })
  })

  it('is for an agent of the namespace that it asks for, whoever else it is elsewhere', async () => {
    bind('b2', 'other/deployer', { sub: 'job-7' })
    expect(await ask(await sign(good))).toMatchObject({ ok: true, order: { credentialId: 'b1' } })
    expect(await ask(await sign({ ...good, jti: 'two' }), { resources: [`${here}/mcp/other`] })).toMatchObject({
      order: { credentialId: 'b2' },
    })
    bind('b3', 'demo/twin', { sub: 'job-*', run: '7' })
    expect(await ask(await sign({ ...good, jti: 'three', run: 7 }))).toMatchObject({
      error: 'invalid_grant',
      reason: expect.stringMatching(/^bindings of 2 principals match/),
    })
  })

  it.each([
    ['no resource', []],
    ['two resources', [demo, `${here}/api`]],
    ['a resource of another server', ['https://other.example/mcp/demo']],
    ['a resource with a slash at the end', [`${demo}/`]],
    ['a resource that is above', [`${here}/mcp`]],
    ['a resource with dots', [`${here}/mcp/other/../demo`]],
    ['a resource in capitals', [demo.toUpperCase()]],
  ])('is refused with %s', async (_, resources) => {
    expect(await ask(await sign(good), { resources })).toMatchObject({ ok: false, error: 'invalid_target' })
  })

  it('opens the management API only where the binding says so', async () => {
    expect(await ask(await sign(good), { resources: [`${here}/api`] })).toMatchObject({ error: 'invalid_grant' })
    bind('b2', 'demo/operator', { sub: 'job-9' }, 'https://issuer.example', ['mcp', 'admin'])
    const text = await sign({ ...good, sub: 'job-9', jti: 'two' })
    expect(await ask(text, { resources: [`${here}/api`], parameters: { scope: 'mcp admin' } })).toMatchObject({
      error: 'invalid_scope',
    })
    expect(await ask(text, { resources: [`${here}/api`], parameters: { scope: 'admin' } })).toMatchObject({
      ok: true,
      order: { scopes: ['admin'] },
    })
  })

  it('bound to a key is taken with proof of that key only', async () => {
    const text = await sign({ ...good, cnf: { jkt: 'key-1' } })
    expect(await ask(text)).toMatchObject({ error: 'invalid_grant' })
    expect(await ask(text, { dpopThumbprint: 'key-2' })).toMatchObject({ error: 'invalid_grant' })
    expect(await ask(text, { dpopThumbprint: 'key-1' })).toMatchObject({ ok: true })
    for (const cnf of [{}, { jwk: {} }, { jkt: 'key-1', kid: 'x' }, 'key-1', null])
      expect(await ask(await sign({ ...good, jti: 'x', cnf }), { dpopThumbprint: 'key-1' })).toMatchObject({
        ok: false,
      })
  })

  it('that says who acts for whom is refused: nobody here knows them', async () => {
    expect(await ask(await sign({ ...good, act: { sub: 'demo/deployer' } }))).toMatchObject({ error: 'invalid_grant' })
  })

  it('cannot be judged while the keys of its issuer cannot be had', async () => {
    expect(await ask(await sign({ ...good, iss: 'https://down.example' }))).toMatchObject({
      error: 'invalid_grant',
      description: 'The keys of the issuer cannot be had. Try again.',
    })
  })

  it('must be there', async () => {
    expect(await ask('', { parameters: {} })).toMatchObject({ error: 'invalid_request' })
  })
})

describe('an identity assertion', () => {
  const client = { id: 'editor', isPublic: false }
  const jag: JsonObject = { ...good, client_id: 'editor', resource: demo, scope: 'mcp' }
  const signJag = (claims: JsonObject) => sign(claims, { typ: 'oauth-id-jag+jwt' })

  it('becomes a token for the resource that it names, for the client that it names', async () => {
    expect(await ask(await signJag(jag), { client, resources: [] })).toMatchObject({
      ok: true,
      order: {
        credentialId: 'b1',
        clientId: 'editor',
        resource: demo,
        scopes: ['mcp'],
        facts: { assertion: 'id-jag' },
      },
    })
  })

  it('is taken once, also from an issuer whose other assertions may come again', async () => {
    const text = await signJag(jag)
    expect(await ask(text, { client })).toMatchObject({ ok: true })
    expect(await ask(text, { client })).toMatchObject({
      error: 'invalid_grant',
      reason: 'the assertion was used before',
    })
  })

  it('needs its own client, authenticated', async () => {
    const text = await signJag(jag)
    expect(await ask(text)).toMatchObject({ error: 'unauthorized_client' })
    expect(await ask(text, { client: { ...client, isPublic: true } })).toMatchObject({ error: 'unauthorized_client' })
    expect(await ask(text, { client: { ...client, id: 'thief' } })).toMatchObject({ error: 'invalid_grant' })
    const { client_id: _, ...nameless } = jag
    expect(await ask(await signJag(nameless), { client })).toMatchObject({ error: 'invalid_grant' })
    expect(await ask(text, { client })).toMatchObject({ ok: true })
  })

  it.each([
    ['another server and our resource', { aud: 'https://other.example' }, 'invalid_grant'],
    ['us and the resource of another server', { resource: 'https://other.example/mcp/demo' }, 'invalid_grant'],
    ['us and no resource', { resource: '' }, 'invalid_grant'],
    ['two resources', { resource: [demo] as never }, 'invalid_grant'],
    ['another server besides us', { aud: [here, 'https://other.example'] }, 'invalid_grant'],
    ['a namespace where nobody is bound to it', { resource: `${here}/mcp/other` }, 'invalid_grant'],
  ])('for %s is refused', async (_, change, error) => {
    expect(await ask(await signJag({ ...jag, ...change }), { client, resources: [] })).toMatchObject({
      ok: false,
      error,
    })
  })

  it('is for its own resource, whatever the request says', async () => {
    expect(await ask(await signJag(jag), { client, resources: [`${here}/mcp/other`] })).toMatchObject({
      error: 'invalid_target',
    })
    expect(await ask(await signJag(jag), { client, resources: [demo, `${here}/api`] })).toMatchObject({
      error: 'invalid_target',
    })
  })

  it('gives the scopes that both the issuer and the client named', async () => {
    const scopesOf = async (granted: string, asked?: string) => {
      used.clear()
      const answer = await ask(await signJag({ ...jag, scope: granted }), {
        client,
        parameters: asked === undefined ? {} : { scope: asked },
      })
      return answer.ok ? answer.order.scopes : answer.error
    }
    expect(await scopesOf('mcp admin chat.read')).toEqual(['mcp'])
    expect(await scopesOf('mcp', 'mcp admin')).toEqual(['mcp'])
    expect(await scopesOf('mcp', 'admin')).toBe('invalid_scope')
    expect(await scopesOf('chat.read')).toBe('invalid_scope')
    expect(await scopesOf('')).toBe('invalid_scope')
  })

  it('is no assertion of a workload, and the other way round', async () => {
    const { client_id: _, resource: __, ...plain } = jag
    expect(await ask(await signJag(plain), { client })).toMatchObject({ ok: false })
    expect(await ask(await sign(jag))).toMatchObject({ ok: true, order: { facts: { assertion: 'workload' } } })
  })
})
