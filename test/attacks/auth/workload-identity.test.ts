import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBodies } from '../../../src/audit/index.ts'
import { isJsonObject, type JsonObject } from '../../../src/kernel/index.ts'
import { openAuditReader } from '../../../src/storage/index.ts'
import { verifies } from '../../conformance/requirements.ts'
import {
  accessTokenType,
  grants,
  platforms,
  startFederatedApp,
  type FederatedApp,
} from '../../support/federated-app.ts'
import { createJwsSigner, type JwsSigner, type Wishes } from '../../support/jws-signer.ts'

// I12 and the first of the breach categories, at the door for machines: an assertion that was stolen, forged, made for
// somebody else or by somebody else, and a token that is exchanged for more than it was. Each attack has beside it the
// honest request that differs in nothing else and goes through, so that a server that refuses everybody does not pass.

let here: FederatedApp
let mallory: JwsSigner
let dataDirectory: string
const seen: string[] = []
beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'mcpworks-test-'))
  here = await startFederatedApp(dataDirectory)
  mallory = createJwsSigner()
  await here.bind('deployer', platforms.github, { repository: 'acme/site', ref: 'refs/heads/release-*' })
  await here.bind('helper', platforms.kubernetes, { sub: 'system:serviceaccount:ci:helper' })
  await here.bind('third', platforms.spiffe, { sub: 'spiffe://example.org/ci/third' })
  await here.bind('deployer', here.foreign.issuer, { sub: 'job-7' })
  await here.bind('other/deployer', here.foreign.issuer, { sub: 'job-of-other' })
})
afterAll(async () => {
  await here[Symbol.asyncDispose]()
  await rm(dataDirectory, { recursive: true, force: true })
})

const honest: Wishes = { sub: 'job-7' }
const foreign = (claims: Wishes = {}, header: Wishes = {}) =>
  here.assertAt(here.foreign, { ...honest, ...claims }, header)
const github = (claims: Wishes = {}) =>
  here.assert('github', { sub: 'x', repository: 'acme/site', ref: 'refs/heads/release-2', ...claims })
const pod = (claims: Wishes = {}) => here.assert('kubernetes', { sub: 'system:serviceaccount:ci:helper', ...claims })
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Shows an assertion and remembers it, for what must never be found in a record. */
async function show(assertion: string, more: Record<string, string | string[]> = {}, headers = {}) {
  seen.push(assertion)
  return here.show(assertion, more, headers)
}

async function refused(assertion: string, more: Record<string, string | string[]> = {}): Promise<JsonObject> {
  const { status, body } = await show(assertion, more)
  expect({ status, token: body.access_token }).toEqual({ status: 400, token: undefined })
  return body
}

async function good(assertion: string, more: Record<string, string | string[]> = {}): Promise<string> {
  const { status, body } = await show(assertion, more)
  expect({ status, error: body.error_description }).toEqual({ status: 200, error: undefined })
  return String(body.access_token)
}

describe('a stolen assertion', () => {
  it(verifies('wif-replay', 'is worth nothing once it was used, also to several thieves at once'), async () => {
    const assertion = foreign()
    const answers = await Promise.all(Array.from({ length: 6 }, () => show(assertion)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400, 400, 400, 400])
    expect(await refused(assertion)).toMatchObject({ error: 'invalid_grant' })
    await good(foreign())
  })

  it('is not another one because its signature is written differently', async () => {
    const assertion = foreign()
    await good(assertion)
    for (const twin of [
      `${assertion}=`,
      ` ${assertion}`,
      `${assertion} `,
      `${assertion}.`,
      assertion.replace('.', '..'),
    ])
      expect(await refused(twin)).toMatchObject({ error: 'invalid_grant' })
  })

  it('bound to a key is worth nothing without it', async () => {
    const bound = () => foreign({ cnf: { jkt: mallory.thumbprint } })
    expect(await refused(bound())).toMatchObject({ error: 'invalid_grant' })
    const { status } = await show(bound(), {}, { dpop: here.proof(createJwsSigner()) })
    expect(status).toBe(400)
    expect((await show(bound(), {}, { dpop: here.proof(mallory) })).status).toBe(200)
  })
})

describe('a forged assertion', () => {
  it.each([
    ['no algorithm', () => `${part({ alg: 'none' })}.${foreign().split('.')[1]}.`],
    [
      'no algorithm and somebody else’s signature',
      () => `${part({ alg: 'none' })}.${foreign().split('.').slice(1).join('.')}`,
    ],
    [
      'the public key as shared secret',
      () => {
        const input = `${part({ alg: 'HS256', kid: here.foreign.key().kid })}.${foreign().split('.')[1]}`
        const secret = JSON.stringify(here.foreign.key().publicJwk)
        return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      },
    ],
    ['a key of its own', () => mallory.sign({ kid: here.foreign.key().kid }, claimsOf(foreign()))],
    [
      'a key of its own in the header',
      () => mallory.sign({ jwk: mallory.publicJwk, kid: here.foreign.key().kid }, claimsOf(foreign())),
    ],
    ['an address of keys', () => mallory.sign({ jku: `${here.stranger.origin}/jwks`, kid: 'x' }, claimsOf(foreign()))],
    [
      'a certificate address',
      () => mallory.sign({ x5u: `${here.stranger.origin}/x5u`, kid: 'x' }, claimsOf(foreign())),
    ],
    ['a path for a key', () => mallory.sign({ kid: '../../../../dev/null' }, claimsOf(foreign()))],
    ['SQL for a key', () => mallory.sign({ kid: "' UNION SELECT 'x" }, claimsOf(foreign()))],
    ['the key of another trusted issuer', () => here.platform.sign({ kid: 'platform' }, claimsOf(foreign()))],
    ['an issuer that nobody trusts', () => here.assertAt(here.stranger, honest)],
    ['an extension that must be understood', () => foreign({}, { crit: ['x'], x: 1 })],
  ])('by %s is refused', async (_, forge) => {
    const requests = here.stranger.requests.size
    expect(await refused(forge())).toMatchObject({ error: 'invalid_grant' })
    expect(here.stranger.requests.size).toBe(requests)
    await good(foreign())
  })
})

describe('an assertion made for something else', () => {
  const now = Math.floor(Date.now() / 1000)
  it.each([
    ['another authorization server', { aud: 'https://other.example' }],
    ['this one and another', { aud: ['https://other.example'] }],
    ['the issuer itself', { aud: 'https://token.actions.githubusercontent.com' }],
    ['nobody', { aud: undefined }],
    ['another time, past', { iat: now - 400, exp: now - 100 }],
    ['another time, to come', { iat: now + 200, exp: now + 400 }],
    ['all time', { exp: now + 400_000 }],
    ['no end', { exp: undefined }],
    ['no beginning', { iat: undefined }],
    ['another issuer with a slash', { iss: `https://token.actions.githubusercontent.com/` }],
  ])('(%s) is refused', async (_, claims) => {
    expect(await refused(foreign(claims))).toMatchObject({ error: 'invalid_grant' })
    await good(foreign())
  })

  it(verifies('wif-audience', 'is taken for the token endpoint and the issuer, with or without a slash'), async () => {
    for (const aud of ['', '/', '/oauth/token', '/oauth/token/']) await good(foreign({ aud: `${here.url}${aud}` }))
    for (const aud of ['/mcp/demo', '/oauth', '/oauth/token/x', ':1'])
      expect(await refused(foreign({ aud: `${here.url}${aud}` }))).toMatchObject({ error: 'invalid_grant' })
  })

  it.each(['at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt'])('(%s) is another kind of token', async (typ) => {
    expect(await refused(foreign({}, { typ }))).toMatchObject({ error: 'invalid_grant' })
  })

  it('(a Kubernetes token for the API server) is refused', async () => {
    expect(await refused(pod({ aud: ['https://kubernetes.default.svc'] }))).toMatchObject({ error: 'invalid_grant' })
    expect(await refused(pod({ aud: [here.url, 'https://kubernetes.default.svc'] }))).toMatchObject({
      error: 'invalid_grant',
    })
    await good(pod({ aud: [here.url] }))
  })
})

describe('a confused deputy', () => {
  it('gets nothing for a namespace where it is nobody', async () => {
    expect(await refused(foreign(), { resource: here.resource('other') })).toMatchObject({ error: 'invalid_grant' })
    expect(await refused(foreign({ sub: 'job-of-other' }))).toMatchObject({ error: 'invalid_grant' })
    await good(foreign({ sub: 'job-of-other' }), { resource: here.resource('other') })
  })

  it(verifies('wif-resource', 'names one resource of this server, exactly'), async () => {
    const elsewhere = [
      `${here.resource('demo')}/`,
      'https://other.example/mcp/demo',
      here.url,
      `${here.url}/mcp/demo/../other`,
    ]
    for (const resource of elsewhere)
      expect(await refused(foreign(), { resource })).toMatchObject({ error: 'invalid_target' })
    expect(await refused(foreign(), { resource: [here.resource('demo'), here.resource('other')] })).toMatchObject({
      error: 'invalid_target',
    })
    expect(await refused(foreign(), { resource: [] })).toMatchObject({ error: 'invalid_target' })
    await good(foreign())
  })

  it('gets no more scope than its binding has', async () => {
    expect(await refused(foreign(), { scope: 'mcp admin' })).toMatchObject({ error: 'invalid_scope' })
    expect(await refused(foreign(), { resource: `${here.url}/api`, scope: 'admin' })).toMatchObject({
      error: 'invalid_grant',
    })
    await good(foreign(), { scope: 'mcp' })
  })
})

describe('a mix-up of issuers and workloads', () => {
  it(verifies('wif-claim-policy', 'does not make the subject of one issuer that of another'), async () => {
    const sub = 'system:serviceaccount:ci:helper'
    expect(await refused(foreign({ sub }))).toMatchObject({ error: 'invalid_grant' })
    expect(await refused(here.assert('github', { sub, repository: 'x/y' }))).toMatchObject({ error: 'invalid_grant' })
    expect(await refused(here.assert('kubernetes', { sub: 'job-7' }))).toMatchObject({ error: 'invalid_grant' })
    await good(pod())
  })

  it('does not let a trust domain speak for another', async () => {
    const svid = (sub: string, iss?: string) => here.assert('spiffe', { sub, iss, jti: undefined })
    for (const sub of [
      'spiffe://other.org/ci/third',
      'spiffe://example.org/ci/third/x',
      'spiffe://example.org/ci/../ci/third',
      'spiffe://example.org@other.org/ci/third',
    ]) {
      expect(await refused(svid(sub))).toMatchObject({ error: 'invalid_grant' })
      expect(await refused(svid(sub, platforms.spiffe))).toMatchObject({ error: 'invalid_grant' })
    }
    await good(svid('spiffe://example.org/ci/third'))
    await good(svid('spiffe://example.org/ci/third', platforms.spiffe))
  })

  it.each([
    ['a longer name', { ref: 'refs/heads/release-2/evil' }],
    ['a name with another in it', { ref: 'refs/heads/x:refs/heads/release-2' }],
    ['the pattern itself without its part', { ref: 'refs/heads/release-' }],
    ['an address', { ref: 'refs/heads/release-@evil' }],
    ['a line end', { ref: 'refs/heads/release-2\nx' }],
    ['another repository', { repository: 'acme/site-evil' }],
    ['another owner', { repository: 'acme-evil/site' }],
    ['capitals', { repository: 'ACME/site' }],
    ['a list that holds no text', { ref: [['refs/heads/release-2']] }],
    ['an object', { ref: { toString: 'refs/heads/release-2' } }],
    ['nothing', { ref: undefined }],
    ['null', { ref: null }],
  ])('is not made by %s', async (_, claims) => {
    expect(await refused(github(claims as Wishes))).toMatchObject({ error: 'invalid_grant' })
    await good(github())
  })

  it('is not made by what every object has', async () => {
    const own = JSON.parse('{"__proto__": {"repository": "acme/site", "ref": "refs/heads/release-2"}}') as JsonObject
    const claims = { ...claimsOf(github()), repository: undefined, ref: undefined }
    const payload = JSON.stringify(claims).replace(/^\{/, `${JSON.stringify(own).slice(0, -1)},`)
    expect(payload).toContain('"__proto__"')
    expect(await refused(here.platform.sign({ kid: 'platform' }, JSON.parse(payload) as Wishes))).toMatchObject({
      error: 'invalid_grant',
    })
    await good(github())
  })
})

describe('what a stranger learns', () => {
  it(
    verifies('wif-errors', 'is the same for an unknown issuer, a bad signature, a used assertion and no binding'),
    async () => {
      const used = foreign()
      await good(used)
      const bad = [
        here.assertAt(here.stranger, honest),
        `${foreign().slice(0, -6)}AAAAAA`,
        used,
        foreign({ sub: 'nobody' }),
      ]
      const answers = []
      for (const assertion of bad) answers.push((await show(assertion)).text)
      expect(new Set(answers).size).toBe(1)
      expect(JSON.parse(answers[0] ?? '')).toMatchObject({ error: 'invalid_grant' })
    },
  )

  it(
    verifies('wif-no-registration', 'is that a workload needs no client, and that a client is not made up'),
    async () => {
      await good(foreign())
      const { status, body } = await show(foreign(), { client_id: 'made-up' })
      expect({ status, error: body.error }).toEqual({ status: 401, error: 'invalid_client' })
    },
  )

  it('is no failure of the server, whatever is sent', async () => {
    const odd = [
      '',
      '.',
      '..',
      'a.b.c',
      '\u0000',
      'x'.repeat(20_000),
      '{"a":1}',
      `${part({ alg: 'ES256' })}.${part([])}.AA`,
    ]
    for (const assertion of odd) expect((await show(assertion)).status).toBe(400)
    expect((await here.post({ grant_type: grants.assertion })).status).toBe(400)
    expect((await here.post({ grant_type: grants.assertion, assertion: [foreign(), foreign()] })).status).toBe(400)
  })
})

describe('an identity assertion', () => {
  let clientId: string
  let basic: Record<string, string>
  let stranger: Record<string, string>
  beforeAll(async () => {
    const made = [await client('helper'), await client('third')]
    clientId = made[0]?.id ?? ''
    basic = { authorization: `Basic ${btoa(`${clientId}:${made[0]?.secret}`)}` }
    stranger = { authorization: `Basic ${btoa(`${made[1]?.id}:${made[1]?.secret}`)}` }
    await here.bind('third', here.foreign.issuer, { sub: 'U1', client_id: clientId })
  })

  async function client(agent: string) {
    const made = await here.app.manage('demo', 'client.create', { namespace: 'demo', agent })
    return { id: isJsonObject(made.client) ? String(made.client.id) : '', secret: String(made.clientSecret) }
  }

  const jag = (claims: Wishes = {}) =>
    foreign(
      { sub: 'U1', client_id: clientId, resource: here.resource('demo'), scope: 'mcp', ...claims },
      { typ: 'oauth-id-jag+jwt' },
    )
  const present = async (assertion: string, headers: Record<string, string> = basic, more = {}) => {
    seen.push(assertion)
    return here.post({ grant_type: grants.assertion, assertion, ...more }, headers)
  }

  it(verifies('jag-replay', 'is taken once'), async () => {
    const assertion = jag()
    const answers = await Promise.all([present(assertion), present(assertion), present(assertion)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400, 400])
    expect((await present(jag({ jti: undefined }))).body).toMatchObject({ error: 'invalid_grant' })
  })

  it(verifies('jag-client', 'is taken from the client that it names, authenticated'), async () => {
    expect((await present(jag(), {})).body).toMatchObject({ error: 'unauthorized_client' })
    expect((await present(jag(), stranger)).body).toMatchObject({ error: 'invalid_grant' })
    expect((await present(jag(), { authorization: `Basic ${btoa(`${clientId}:wrong`)}` })).status).toBe(401)
    expect((await present(jag())).status).toBe(200)
  })

  it(verifies('jag-pair', 'is for this server and its resource as a pair'), async () => {
    const wrong: Wishes[] = [
      { aud: 'https://other.example' },
      { aud: [here.url, 'https://other.example'] },
      { aud: `${here.url}/oauth/token` },
      { resource: 'https://other.example/mcp/demo' },
      { resource: here.resource('other') },
      { resource: undefined },
      { resource: [here.resource('demo')] },
    ]
    for (const claims of wrong) expect((await present(jag(claims))).body).toMatchObject({ error: 'invalid_grant' })
    expect((await present(jag(), basic, { resource: here.resource('other') })).body).toMatchObject({
      error: 'invalid_target',
    })
    expect((await present(jag(), basic, { resource: here.resource('demo') })).status).toBe(200)
  })

  it(verifies('jag-scope', 'gives no scope that either it or the request does not name'), async () => {
    expect((await present(jag({ scope: 'admin' }))).body).toMatchObject({ error: 'invalid_scope' })
    expect((await present(jag({ scope: 'admin' }), basic, { scope: 'mcp' })).body).toMatchObject({
      error: 'invalid_scope',
    })
    expect((await present(jag({ scope: 'mcp admin' }))).body).toMatchObject({ scope: 'mcp' })
  })

  it('is not taken from an issuer that is trusted for workloads only', async () => {
    const assertion = here.assert(
      'github',
      { sub: 'U1', client_id: clientId, resource: here.resource('demo') },
      { typ: 'oauth-id-jag+jwt' },
    )
    expect((await present(assertion)).body).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('a token exchange', () => {
  const exchange = (subject: string, actor: string, more = {}, headers = {}) =>
    here.post(
      {
        grant_type: grants.exchange,
        subject_token: subject,
        subject_token_type: accessTokenType,
        actor_token: actor,
        actor_token_type: accessTokenType,
        ...more,
      },
      headers,
    )

  it(verifies('exchange-narrows', 'never gives more than the token had'), async () => {
    const owner = await good(foreign())
    const actor = await good(pod())
    const wider: [object, string][] = [
      [{ scope: 'mcp admin' }, 'invalid_scope'],
      [{ scope: 'admin' }, 'invalid_scope'],
      [{ resource: here.resource('other') }, 'invalid_target'],
      [{ audience: `${here.url}/api` }, 'invalid_target'],
      [{ resource: [here.resource('demo'), here.resource('other')] }, 'invalid_target'],
      [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    ]
    for (const [more, error] of wider) expect((await exchange(owner, actor, more)).body).toMatchObject({ error })
    const { body } = await exchange(owner, actor)
    const [before, after] = [claimsOf(owner), claimsOf(String(body.access_token))]
    expect(after).toMatchObject({ sub: before.sub, aud: before.aud, scope: before.scope })
    expect(Number(after.exp)).toBeLessThanOrEqual(Number(before.exp))
  })

  it(verifies('exchange-actor', 'needs the own token of the actor'), async () => {
    const owner = await good(foreign())
    const actor = await good(pod())
    const delegated = String((await exchange(owner, actor)).body.access_token)
    expect((await exchange(owner, '')).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(owner, delegated)).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(owner, pod())).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(foreign(), actor)).body).toMatchObject({ error: 'invalid_request' })
    const elsewhere = await good(foreign({ sub: 'job-of-other' }), { resource: here.resource('other') })
    expect((await exchange(owner, elsewhere)).body).toMatchObject({ error: 'invalid_request' })
    const forged = `${actor.split('.')[0]}.${part({ ...claimsOf(actor), sub: 'demo/deployer' })}.${actor.split('.')[2]}`
    expect((await exchange(owner, forged)).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(owner, actor)).status).toBe(200)
  })

  it('has a chain of actors of a bounded length', async () => {
    const [owner, helper, third] = [
      await good(foreign()),
      await good(pod()),
      await good(here.assert('spiffe', { sub: 'spiffe://example.org/ci/third' })),
    ]
    const first = String((await exchange(owner, helper)).body.access_token)
    const second = String((await exchange(first, third)).body.access_token)
    expect(claimsOf(second)).toMatchObject({ act: { sub: 'demo/third', act: { sub: 'demo/helper' } } })
    expect((await exchange(second, helper)).body).toMatchObject({ error: 'invalid_request' })
  })

  it(verifies('exchange-bound', 'keeps a token bound to its key'), async () => {
    const key = createJwsSigner()
    const bound = String((await show(foreign(), {}, { dpop: here.proof(key) })).body.access_token)
    const actor = await good(pod())
    expect((await exchange(bound, actor)).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(bound, actor, {}, { dpop: here.proof(mallory) })).body).toMatchObject({
      error: 'invalid_request',
    })
    const { body } = await exchange(bound, actor, {}, { dpop: here.proof(key) })
    expect(body).toMatchObject({ token_type: 'DPoP' })
    expect(claimsOf(String(body.access_token))).toMatchObject({ cnf: { jkt: key.thumbprint } })
  })

  it('lets nobody act with a token that its holder tied to another', async () => {
    const owner = await good(foreign())
    const tied = String((await exchange(owner, owner, { may_act: 'demo/helper' })).body.access_token)
    expect(claimsOf(tied)).toMatchObject({ may_act: { sub: 'demo/helper' } })
    const third = await good(here.assert('spiffe', { sub: 'spiffe://example.org/ci/third' }))
    expect((await exchange(tied, third)).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(tied, third, { may_act: 'demo/third' })).body).toMatchObject({ error: 'invalid_request' })
    expect((await exchange(tied, await good(pod()))).status).toBe(200)
  })
})

it('left a record of every kind of refusal with its reason, and of no assertion a part that could be used', async () => {
  await here[Symbol.asyncDispose]()
  const records = await readRecords()
  for (const reason of [
    'the assertion was used before',
    'no binding matches',
    'the issuer is not trusted',
    'the signature is not good',
  ])
    expect(records).toContain(reason)
  expect(records).toContain('"type":"token-issued"')
  for (const assertion of seen.filter((text) => text.split('.').length === 3 && text.length > 100)) {
    expect(records).not.toContain(assertion.split('.')[1])
    expect(records).not.toContain(assertion.split('.')[2] || assertion)
  }
})

function claimsOf(token: string): JsonObject {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as JsonObject
}

/** Every record with the arguments and results that are kept beside it, opened. */
async function readRecords(): Promise<string> {
  const reader = openAuditReader({ dataDirectory })
  try {
    const records = await reader.records(0, 10_000)
    const bodies = await reader.bodies(0, 10_000)
    expect(bodies.length).toBeGreaterThan(0)
    return JSON.stringify([
      records.map(({ json }) => JSON.parse(json) as unknown),
      bodies.map(({ seq, key, sealed }) => {
        const opened = typeof key === 'string' ? null : openBodies(key, records[seq]?.id ?? '', sealed)
        expect(opened).not.toBeNull()
        return opened
      }),
    ])
  } finally {
    await reader.close()
  }
}
