import { beforeEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../kernel/index.ts'
import type { TokenGrantAnswer, TokenGrantRequest } from '../authorization-server/token-grant.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import { actorsOf as readActors } from '../resource-server/token-claims.ts'
import type { Confirmation } from '../resource-server/verified-token.ts'
import type { OwnToken } from './own-token.ts'
import { createTokenExchangeGrant } from './token-exchange-grant.ts'

const nowMs = 1_800_000_000_000
const here = 'https://mcp.example.org'
const demo = `${here}/mcp/demo`
const accessToken = 'urn:ietf:params:oauth:token-type:access_token'

let tokens: Map<string, OwnToken>
let active: Set<string>
let boundOnly: Set<string>

interface Wish {
  readonly resource?: string
  readonly expiresAtMs?: number
  readonly dpopThumbprint?: string
  readonly certificateSha256?: string
  readonly act?: JsonObject
  readonly mayAct?: string
}

function confirmationOf({ dpopThumbprint, certificateSha256 }: Wish): Confirmation {
  if (dpopThumbprint !== undefined) return { kind: 'dpop', thumbprint: dpopThumbprint }
  return certificateSha256 === undefined ? { kind: 'none' } : { kind: 'mtls', certificateSha256 }
}

function tokenOf(principalId: string, wish: Wish = {}): OwnToken {
  const expiresAtMs = wish.expiresAtMs ?? nowMs + 200_000
  const acting = readActors({ act: wish.act } as JsonObject) ?? { actors: ['malformed'], actorCredentials: [] }
  return {
    token: {
      credentialId: `credential-of-${principalId}`,
      principalId,
      resource: wish.resource ?? demo,
      scopes: ['mcp'],
      confirmation: confirmationOf(wish),
      expiresAtMs,
      freshUntilMs: expiresAtMs,
      facts: { issuer: here, clientId: `client-of-${principalId}`, tokenId: 't', ...acting },
      own: true,
    },
    act: wish.act ?? null,
    mayAct: wish.mayAct ?? null,
  }
}

const grant = createTokenExchangeGrant({
  readToken: (text) => tokens.get(text) ?? null,
  registry: {
    findActiveCredential: (id) =>
      active.has(id)
        ? ({
            credential: { id },
            principal: { id: id.replace('credential-of-', ''), senderConstrainedOnly: boundOnly.has(id) },
          } as ActiveCredential)
        : null,
  },
  clock: { nowMs: () => nowMs },
  maxActors: 3,
})

beforeEach(() => {
  tokens = new Map([
    ['owner', tokenOf('demo/owner')],
    ['helper', tokenOf('demo/helper', { expiresAtMs: nowMs + 100_000 })],
  ])
  active = new Set(['owner', 'helper', 'second', 'third', 'fourth'].map((name) => `credential-of-demo/${name}`))
  boundOnly = new Set()
})

function exchange(
  parameters: Record<string, string> = {},
  more: Partial<TokenGrantRequest> = {},
): Promise<TokenGrantAnswer> {
  const all = {
    subject_token: 'owner',
    subject_token_type: accessToken,
    actor_token: 'helper',
    actor_token_type: accessToken,
    ...parameters,
  }
  return grant.handle({
    parameters: new Map(Object.entries(all).filter(([, value]) => value !== '')),
    resources: [],
    client: null,
    dpopThumbprint: null,
    certificateSha256: null,
    issuer: here,
    tokenEndpoint: `${here}/oauth/token`,
    address: '127.0.0.1',
    ...more,
  })
}

describe('a token exchange', () => {
  it('keeps subject, resource and scope, says who acts, and ends with the sooner of both tokens', async () => {
    expect(await exchange()).toEqual({
      ok: true,
      order: {
        credentialId: 'credential-of-demo/owner',
        clientId: 'client-of-demo/helper',
        resource: demo,
        scopes: ['mcp'],
        lifetimeSeconds: 100,
        act: { sub: 'demo/helper', mcpworks_credential: 'credential-of-demo/helper' },
        mayAct: null,
        facts: { actor: 'demo/helper' },
      },
      members: { issued_token_type: accessToken },
    })
  })

  it('may repeat the target and the scope', async () => {
    expect(await exchange({ audience: demo, scope: 'mcp' }, { resources: [demo] })).toMatchObject({ ok: true })
  })

  it.each([
    ['another resource', {}, { resources: [`${here}/mcp/other`] }, 'invalid_target'],
    ['another audience', { audience: `${here}/api` }, {}, 'invalid_target'],
    ['its own resource and another', {}, { resources: [demo, `${here}/api`] }, 'invalid_target'],
    ['a resource that looks like it', {}, { resources: [`${demo}/`] }, 'invalid_target'],
    ['more scope', { scope: 'mcp admin' }, {}, 'invalid_scope'],
    ['another scope', { scope: 'admin' }, {}, 'invalid_scope'],
    ['no scope at all', { scope: ' ' }, {}, 'invalid_scope'],
    ['an unknown scope', { scope: 'constructor' }, {}, 'invalid_scope'],
    [
      'a refresh token',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      {},
      'invalid_request',
    ],
    ['an ID token', { requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, {}, 'invalid_request'],
  ] as const)('never widens to %s', async (_, parameters, more, error) => {
    expect(await exchange(parameters, more)).toMatchObject({ ok: false, error })
  })

  it.each(['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type'])('needs %s', async (name) => {
    expect(await exchange({ [name]: '' })).toMatchObject({ ok: false, error: 'invalid_request' })
  })

  it('takes access tokens of this server only', async () => {
    expect(await exchange({ subject_token: 'foreign' })).toMatchObject({ error: 'invalid_request' })
    expect(await exchange({ actor_token: 'foreign' })).toMatchObject({ error: 'invalid_request' })
    expect(await exchange({ subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' })).toMatchObject({ ok: false })
  })

  it('ends with the credential of subject and actor alike', async () => {
    for (const name of ['owner', 'helper']) {
      active.delete(`credential-of-demo/${name}`)
      expect(await exchange()).toMatchObject({ ok: false, error: 'invalid_request' })
      active.add(`credential-of-demo/${name}`)
    }
    expect(await exchange()).toMatchObject({ ok: true })
  })

  it('refuses an actor whose token is for another namespace', async () => {
    tokens.set('helper', tokenOf('other/helper', { resource: `${here}/mcp/other` }))
    active.add('credential-of-other/helper')
    expect(await exchange()).toMatchObject({
      error: 'invalid_request',
      description: expect.stringContaining('another resource'),
    })
  })
})

describe('who acts for whom', () => {
  /** Lets `actor` act with the token that `answer` orders. */
  async function actWith(answer: TokenGrantAnswer, actor: string): Promise<TokenGrantAnswer> {
    if (!answer.ok) throw new Error(answer.description)
    tokens.set('delegated', tokenOf('demo/owner', answer.order.act === null ? {} : { act: answer.order.act }))
    tokens.set(actor, tokenOf(`demo/${actor}`))
    return exchange({ subject_token: 'delegated', actor_token: actor })
  }

  const actorsOf = (answer: TokenGrantAnswer) =>
    answer.ok ? readActors(answer.order.act === null ? {} : { act: answer.order.act })?.actors : null

  it('is a chain with the present actor first, of a bounded length', async () => {
    const second = await actWith(await exchange(), 'second')
    expect(actorsOf(second)).toEqual(['demo/second', 'demo/helper'])
    const third = await actWith(second, 'third')
    expect(actorsOf(third)).toEqual(['demo/third', 'demo/second', 'demo/helper'])
    expect(await actWith(third, 'fourth')).toMatchObject({
      error: 'invalid_request',
      description: expect.stringContaining('maxActors'),
    })
  })

  it('ends with the credential of anybody in the chain', async () => {
    const first = await exchange()
    active.delete('credential-of-demo/helper')
    expect(await actWith(first, 'second')).toMatchObject({ ok: false, error: 'invalid_request' })
  })

  it('does not change where an agent narrows its own token, or one that it acts with', async () => {
    expect(actorsOf(await exchange({ actor_token: 'owner' }))).toEqual([])
    expect(actorsOf(await actWith(await exchange(), 'helper'))).toEqual(['demo/helper'])
  })

  it('is named by the own token of the actor and not by one that it was given', async () => {
    tokens.set(
      'helper',
      tokenOf('demo/helper', { act: { sub: 'demo/second', mcpworks_credential: 'credential-of-demo/second' } }),
    )
    expect(await exchange()).toMatchObject({
      error: 'invalid_request',
      description: expect.stringContaining('own token'),
    })
  })

  it('is whom may_act names and nobody else', async () => {
    tokens.set('owner', tokenOf('demo/owner', { mayAct: 'demo/second' }))
    expect(await exchange()).toMatchObject({
      ok: false,
      error: 'invalid_request',
      description: expect.stringContaining('may_act'),
    })
    tokens.set('owner', tokenOf('demo/owner', { mayAct: 'demo/helper' }))
    expect(await exchange()).toMatchObject({ ok: true })
  })

  it('is named by the holder of a token for those who get it, and stays', async () => {
    const tied = await exchange({ actor_token: 'owner', may_act: 'demo/helper' })
    expect(tied).toMatchObject({ ok: true, order: { act: null, mayAct: 'demo/helper' } })
    tokens.set('owner', tokenOf('demo/owner', { mayAct: 'demo/helper' }))
    expect(await exchange()).toMatchObject({ ok: true, order: { mayAct: 'demo/helper' } })
    for (const may_act of ['demo/second', 'x', ''].filter(Boolean)) {
      expect(await exchange({ may_act })).toMatchObject({ ok: false, error: 'invalid_request' })
      expect(await exchange({ actor_token: 'owner', may_act })).toMatchObject({ ok: false, error: 'invalid_request' })
    }
  })

  it.each([
    [{ sub: 'demo/helper' }],
    [{ sub: 'demo/helper', act: { sub: 'demo/second', mcpworks_credential: 'credential-of-demo/second' } }],
  ] as [JsonObject][])('is refused where a token names no credential of an actor: %j', async (act) => {
    tokens.set('owner', tokenOf('demo/owner', { act }))
    expect(await exchange()).toMatchObject({ ok: false, error: 'invalid_request' })
  })
})

describe('a token bound to a key', () => {
  it.each(['owner', 'helper'])('is exchanged with proof of that key only (%s)', async (name) => {
    tokens.set(name, tokenOf(`demo/${name}`, { dpopThumbprint: 'key-1' }))
    expect(await exchange()).toMatchObject({ ok: false, error: 'invalid_request' })
    expect(await exchange({}, { dpopThumbprint: 'key-2' })).toMatchObject({ ok: false, error: 'invalid_request' })
    expect(await exchange({}, { dpopThumbprint: 'key-1' })).toMatchObject({ ok: true })
  })

  it('cannot be exchanged together with one bound to another key', async () => {
    tokens.set('owner', tokenOf('demo/owner', { dpopThumbprint: 'key-1' }))
    tokens.set('helper', tokenOf('demo/helper', { dpopThumbprint: 'key-2' }))
    for (const dpopThumbprint of ['key-1', 'key-2'])
      expect(await exchange({}, { dpopThumbprint })).toMatchObject({ ok: false })
  })

  it('is exchanged over the connection of its certificate only', async () => {
    tokens.set('owner', tokenOf('demo/owner', { certificateSha256: 'certificate-1' }))
    expect(await exchange({}, { certificateSha256: 'certificate-2' })).toMatchObject({ ok: false })
    expect(await exchange({}, { dpopThumbprint: 'certificate-1' })).toMatchObject({ ok: false })
    expect(await exchange({}, { certificateSha256: 'certificate-1' })).toMatchObject({ ok: true })
  })

  it('is what an agent must have that may enter with nothing else', async () => {
    boundOnly.add('credential-of-demo/helper')
    expect(await exchange()).toMatchObject({ ok: false })
    tokens.set('helper', tokenOf('demo/helper', { dpopThumbprint: 'key-1' }))
    expect(await exchange({}, { dpopThumbprint: 'key-1' })).toMatchObject({ ok: true })
  })
})
