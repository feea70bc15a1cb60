import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  createLocalKeyManagement,
  createUpstreamConnections,
  createUpstreamVault,
  type IdentityEvent,
  type StoredUpstream,
  type UpstreamConnections,
} from '../../src/auth/index.ts'
import { createGuardedFetch, createTargetCheck, type GuardedFetch } from '../../src/egress/index.ts'
import type { Clock } from '../../src/kernel/index.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { goAndConsent } from '../support/consenting-browser.ts'
import { startForeignIssuer, type ForeignIssuer } from '../support/foreign-issuer.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { startUpstreamServer, type UpstreamServer } from '../support/upstream-server.ts'

const origin = 'http://localhost:7433'
const redirectUri = `${origin}/oauth/upstream/callback`
const networks = ['127.0.0.0/8']
const by = { principalId: 'anna', address: '127.0.0.1' }
const session = { sessionId: 's1', userId: 'anna' }
const returning = { ...session, address: '127.0.0.1' }

let issuer: ForeignIssuer
let upstream: UpstreamServer
let nowMs: number
let storage: Storage
let events: IdentityEvent[]
let guardedFetch: GuardedFetch
let connections: UpstreamConnections
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }

beforeAll(async () => {
  issuer = await startForeignIssuer({
    clients: [
      {
        client_id: 'ours',
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [redirectUri],
      },
    ],
    configuration: {
      features: { devInteractions: { enabled: true }, registration: { enabled: true } },
      issueRefreshToken: async () => true,
      rotateRefreshToken: true,
    },
  })
  upstream = await startUpstreamServer({ issuer: issuer.issuer })
})
afterAll(async () => {
  await issuer.close()
  await upstream.close()
})

function compose(over: Storage): UpstreamConnections {
  return createUpstreamConnections({
    store: over.upstreams,
    vault: createUpstreamVault(over.upstreams, createLocalKeyManagement(over.masterKey), clock),
    fetch: (...request) => guardedFetch(...request),
    checkTarget: createTargetCheck(),
    events: { record: async (event) => void events.push(event) },
    clock,
    config: { networks, refreshAheadSeconds: 120, connectSeconds: 600 },
  })
}

beforeEach(async () => {
  nowMs = Date.now()
  events = []
  guardedFetch = createGuardedFetch()
  storage = await openStorage({ dataDirectory: `${temporaryDirectory()}/data`, clock })
  onTestFinished(() => storage.close())
  connections = compose(storage)
})

function server(change: Partial<StoredUpstream> = {}): Omit<StoredUpstream, 'createdAtMs' | 'createdBy'> {
  return {
    namespace: 'demo',
    name: 'tickets',
    url: upstream.url,
    method: 'oauth',
    owner: 'namespace',
    issuer: null,
    clientId: 'ours',
    scopes: ['mcp'],
    header: 'authorization',
    prefix: 'Bearer ',
    ...change,
  }
}

/** A person goes to the authorization server, agrees and comes back. */
async function connect(name = 'tickets', userId = 'anna') {
  const left = await connections.depart({ namespace: 'demo', name, userId, sessionId: `session of ${userId}`, origin })
  const callback = await goAndConsent(left.url, redirectUri)
  return connections.arrive(callback, { sessionId: `session of ${userId}`, userId, address: '127.0.0.1' })
}

async function tokenNow(ownerId = ''): Promise<string> {
  const outcome = await connections.credential('demo', 'tickets', ownerId)
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.detail}`)
  return outcome.credential.secret
}

async function ask(token: string): Promise<number> {
  const response = await fetch(upstream.url, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  return response.status
}

describe('connecting with the consent of a person', () => {
  it('gets tokens that the server takes, records it, and opens them after a restart', async () => {
    await connections.add(server(), by)
    expect(await connect()).toEqual({ ok: true, namespace: 'demo', name: 'tickets' })
    expect(await ask(await tokenNow())).toBe(200)
    expect(events).toMatchObject([
      {
        type: 'upstream-connected',
        namespace: 'demo',
        principalId: 'anna',
        facts: { server: 'tickets', issuer: issuer.issuer },
      },
    ])
    connections = compose(storage)
    expect(await ask(await tokenNow())).toBe(200)
    expect(await connections.show('demo', 'tickets')).toMatchObject({
      credentials: [{ kind: 'tokens', ownerId: '', status: 'connected' }],
    })
  })

  it('keeps the tokens of each user apart', async () => {
    await connections.add(server({ owner: 'user' }), by)
    await connect('tickets', 'anna')
    expect(await connections.credential('demo', 'tickets', 'anna')).toMatchObject({ ok: true })
    expect(await connections.credential('demo', 'tickets', 'ben')).toMatchObject({ ok: false, reason: 'not-connected' })
    expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'not-connected' })
  })

  it('registers itself where it has no client id and may', async () => {
    await connections.add(server({ clientId: null }), by)
    await connect().catch(() => null)
    const { clientId } = await connections.show('demo', 'tickets')
    expect(clientId).toMatch(/^[\x21-\x7e]+$/)
    expect(clientId).not.toBe('ours')
  })

  it('refuses a callback of another session, of nobody, too late or a second time, and takes the honest one', async () => {
    await connections.add(server(), by)
    const departure = { namespace: 'demo', name: 'tickets', ...session, origin }
    const left = await connections.depart(departure)
    const callback = await goAndConsent(left.url, redirectUri)
    const refusedAs = async (url: URL, who: Partial<typeof returning> = {}) => {
      const arrival = await connections.arrive(url, { ...returning, ...who })
      return arrival.ok ? 'taken' : arrival.reason
    }
    expect(await refusedAs(callback, { sessionId: 's2' })).toMatch(/another session/)
    expect(await refusedAs(callback, { userId: 'ben' })).toMatch(/another session/)
    const forged = new URL(callback)
    forged.searchParams.set('state', 'x'.repeat(43))
    expect(await refusedAs(forged)).toMatch(/nobody left/)
    const twice = new URL(callback)
    twice.searchParams.append('state', 'other')
    expect(await refusedAs(twice)).toMatch(/nobody left/)
    expect(await refusedAs(callback)).toBe('taken')
    expect(await refusedAs(callback)).toMatch(/come back already/)
    const late = await connections.depart(departure)
    const lateCallback = await goAndConsent(late.url, redirectUri)
    nowMs += 600_000
    expect(await refusedAs(lateCallback)).toMatch(/too long/)
  })

  it('refuses an answer of another issuer: mix-up', async () => {
    await connections.add(server(), by)
    const left = await connections.depart({ namespace: 'demo', name: 'tickets', ...session, origin })
    const callback = await goAndConsent(left.url, redirectUri)
    callback.searchParams.set('iss', 'https://evil.example')
    expect(await connections.arrive(callback, returning)).toMatchObject({ ok: false })
    expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'not-connected' })
  })

  it('is revoked at the authorization server when it is disconnected', async () => {
    await connections.add(server(), by)
    await connect()
    const before = issuer.requests.get('/token/revocation') ?? 0
    expect(await connections.disconnect('demo', 'tickets', '', by)).toEqual({ revoked: true })
    expect(issuer.requests.get('/token/revocation')).toBe(before + 1)
    expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'not-connected' })
    expect(events.at(-1)).toMatchObject({ type: 'upstream-disconnected', facts: { server: 'tickets' } })
    await expect(connections.disconnect('demo', 'tickets', '', by)).rejects.toMatchObject({ code: 'unknown_object' })
  })
})

describe('refreshing', () => {
  it('happens ahead of expiry, once however many ask, and the rotated token serves the next time', async () => {
    await connections.add(server(), by)
    await connect()
    const first = await tokenNow()
    nowMs += 290_000
    const before = issuer.requests.get('/token') ?? 0
    expect(await connections.refreshDue()).toBe(1)
    const second = await tokenNow()
    expect(second).not.toBe(first)
    nowMs += 299_000
    const many = await Promise.all(Array.from({ length: 20 }, () => tokenNow()))
    expect(new Set(many).size).toBe(1)
    expect(many[0]).not.toBe(second)
    expect((issuer.requests.get('/token') ?? 0) - before).toBe(2)
  })

  it('waits where the authorization server is away, longer each time, and goes on when it is back', async () => {
    await connections.add(server(), by)
    await connect()
    nowMs += 310_000
    issuer.goDown()
    try {
      expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'unavailable' })
      expect(await connections.refreshDue()).toBe(0)
      nowMs += 5001
      expect(await connections.refreshDue()).toBe(1)
      nowMs += 5001
      expect(await connections.refreshDue()).toBe(0)
      expect(events.filter(({ type }) => type === 'upstream-refresh-failed')).toHaveLength(1)
    } finally {
      issuer.comeBack()
    }
    nowMs += 10_000
    expect(await tokenNow()).toMatch(/^ey/)
  })

  it('asks for a person where the authorization server refuses, and never again by itself', async () => {
    await connections.add(server(), by)
    await connect()
    const stored = await storage.upstreams.listSecrets('demo', 'tickets')
    await connections.disconnect('demo', 'tickets', '', by)
    // What a backup would bring back: tokens that were revoked meanwhile.
    for (const secret of stored) await storage.upstreams.putSecret(secret, 0)
    nowMs += 310_000
    expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'needs-consent' })
    expect(events.at(-1)).toMatchObject({ type: 'upstream-refresh-failed', facts: { needsConsent: true } })
    const before = issuer.requests.get('/token') ?? 0
    nowMs += 3_600_000
    expect(await connections.refreshDue()).toBe(0)
    expect(issuer.requests.get('/token') ?? 0).toBe(before)
    expect(await connect()).toMatchObject({ ok: true })
    expect(await tokenNow()).toMatch(/^ey/)
  })

  it('is recorded as interrupted where a crash came between the answer and its storing', async () => {
    await connections.add(server(), by)
    await connect()
    const [old] = await storage.upstreams.listSecrets('demo', 'tickets')
    if (old === undefined) throw new Error('no tokens')
    nowMs += 310_000
    await tokenNow()
    // As a crash leaves it: the refresh token was rotated there, the old one is here, marked.
    await storage.upstreams.removeSecret(old)
    await storage.upstreams.putSecret({ ...old, refreshingSinceMs: nowMs }, 0)
    nowMs += 310_000
    expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'needs-consent' })
    expect(events.at(-1)).toMatchObject({ facts: { interrupted: true, needsConsent: true } })
  })
})

describe('our own credentials at a server', () => {
  it('get tokens without a person', async () => {
    await connections.add(server({ method: 'client-credentials', clientId: 'workload' }), by)
    await connections.setSecret({ namespace: 'demo', name: 'tickets', ownerId: '', kind: 'client' }, 'secret', by)
    const first = await tokenNow()
    expect(await ask(first)).toBe(200)
    nowMs += 310_000
    expect(await tokenNow()).not.toBe(first)
  })

  it('are not there with a wrong secret', async () => {
    await connections.add(server({ method: 'client-credentials', clientId: 'workload' }), by)
    await connections.setSecret({ namespace: 'demo', name: 'tickets', ownerId: '', kind: 'client' }, 'wrong', by)
    expect(await connections.credential('demo', 'tickets', '')).toMatchObject({ ok: false, reason: 'not-connected' })
  })

  it('can be a fixed header', async () => {
    await connections.add(server({ method: 'header', clientId: null, header: 'x-service-key', prefix: '' }), by)
    await connections.setSecret({ namespace: 'demo', name: 'tickets', ownerId: '', kind: 'header' }, 'k-123', by)
    expect(await connections.credential('demo', 'tickets', '')).toEqual({
      ok: true,
      credential: { origin: upstream.origin, header: 'x-service-key', value: 'k-123', secret: 'k-123' },
    })
    await expect(
      connections.setSecret({ namespace: 'demo', name: 'tickets', ownerId: '', kind: 'header' }, 'a\r\nb: c', by),
    ).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
