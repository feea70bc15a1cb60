/** RFC 9700 section 4.4: one authorization server's answer in another one's name. Here: servers that send no `iss`. */
import { mkdtemp, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createLocalKeyManagement,
  createUpstreamConnections,
  createUpstreamVault,
  type UpstreamConnections,
} from '../../../src/auth/index.ts'
import { createGuardedFetch, createTargetCheck } from '../../../src/egress/index.ts'
import { systemClock } from '../../../src/kernel/index.ts'
import { openStorage, type Storage } from '../../../src/storage/index.ts'
import { startUpstreamServer, type UpstreamServer } from '../../support/upstream-server.ts'

const origin = 'http://localhost:7433'
const who = { sessionId: 's1', userId: 'anna', address: '127.0.0.1' }

/** A server that is its own authorization server and tells nobody who it is in its answers. */
async function startSilentServer(): Promise<UpstreamServer> {
  const server = await startUpstreamServer()
  const json = (value: object) => (_: unknown, response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  server.answer(
    '/.well-known/oauth-protected-resource/mcp',
    json({ resource: server.url, authorization_servers: [server.origin] }),
  )
  server.answer(
    '/.well-known/oauth-authorization-server',
    json({
      issuer: server.origin,
      authorization_endpoint: `${server.origin}/authorize`,
      token_endpoint: `${server.origin}/token`,
      code_challenge_methods_supported: ['S256'],
    }),
  )
  server.answer('/token', json({ access_token: 'token-of-this-server', token_type: 'Bearer', expires_in: 300 }))
  return server
}

let directory: string
let storage: Storage
let connections: UpstreamConnections
let honest: UpstreamServer
let evil: UpstreamServer
beforeAll(async () => {
  honest = await startSilentServer()
  evil = await startSilentServer()
  directory = await mkdtemp(join(tmpdir(), 'mcpworks-mix-up-'))
  storage = await openStorage({ dataDirectory: join(directory, 'data'), clock: systemClock })
  connections = createUpstreamConnections({
    store: storage.upstreams,
    vault: createUpstreamVault(storage.upstreams, createLocalKeyManagement(storage.masterKey), systemClock),
    fetch: createGuardedFetch(),
    checkTarget: createTargetCheck(),
    events: { record: async () => {} },
    clock: systemClock,
    config: { networks: ['127.0.0.1/32'], refreshAheadSeconds: 120, connectSeconds: 600 },
  })
  await add('honest', honest)
  await add('evil', evil)
})
afterAll(async () => {
  await storage.close()
  await rm(directory, { recursive: true, force: true })
  await honest.close()
  await evil.close()
})

const admin = { principalId: 'anna', address: '' }

async function add(name: string, { url }: UpstreamServer): Promise<void> {
  await connections.add(
    {
      namespace: 'demo',
      name,
      url,
      method: 'oauth',
      owner: 'namespace',
      issuer: null,
      clientId: 'ours',
      scopes: [],
      header: 'authorization',
      prefix: 'Bearer ',
    },
    admin,
  )
}

/** Leaves for a server; answers the state and where the answer has to come. */
async function leave(name: string): Promise<{ state: string; redirectUri: string }> {
  const { url } = await connections.depart({ namespace: 'demo', name, origin, ...who })
  const { searchParams } = new URL(url)
  return { state: searchParams.get('state') ?? '', redirectUri: searchParams.get('redirect_uri') ?? '' }
}

const arriveAt = (redirectUri: string, state: string) =>
  connections.arrive(new URL(`${redirectUri}?code=c&state=${state}`), who)

describe('authorization servers that do not say who they are', () => {
  it('have a callback each, the same every time', async () => {
    const [one, again, other] = [await leave('honest'), await leave('honest'), await leave('evil')]
    expect(one.redirectUri).toMatch(/^http:\/\/localhost:7433\/oauth\/upstream\/callback\/[0-9a-f]{24}$/)
    expect(again.redirectUri).toBe(one.redirectUri)
    expect(other.redirectUri).not.toBe(one.redirectUri)
  })

  it('cannot have the code of another one sent to them', async () => {
    const toEvil = await leave('evil')
    const toHonest = await leave('honest')
    // Evil sent the browser on to the honest one with its own state: the code comes back at the honest one's callback.
    expect(await arriveAt(toHonest.redirectUri, toEvil.state)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('another address'),
    })
    expect(evil.requests.some(({ path }) => path === '/token')).toBe(false)
  })

  it('are taken at their own', async () => {
    const { redirectUri, state } = await leave('honest')
    expect(await arriveAt(redirectUri, state)).toEqual({ ok: true, namespace: 'demo', name: 'honest' })
    expect(await connections.credential('demo', 'honest', '')).toMatchObject({
      ok: true,
      credential: { origin: honest.origin, secret: 'token-of-this-server' },
    })
  })
})

describe('a server that was removed while a person was away, and another one added by its name', () => {
  it('gets nothing that was meant for the first, before the code is shown to anybody', async () => {
    await add('moved', honest)
    const { redirectUri, state } = await leave('moved')
    await connections.remove('demo', 'moved', admin)
    await add('moved', evil)
    const before = honest.requests.length
    expect(await arriveAt(redirectUri, state)).toMatchObject({ ok: false, reason: 'the server is not there any more' })
    expect(honest.requests.slice(before)).toEqual([])
    expect(await connections.credential('demo', 'moved', '')).toMatchObject({ ok: false })
  })

  it('gets nothing either where that happens while the tokens are fetched', async () => {
    await add('swapped', honest)
    const { redirectUri, state } = await leave('swapped')
    honest.answer('/token', (_, response) => {
      void connections
        .remove('demo', 'swapped', admin)
        .then(() => add('swapped', evil))
        .then(() => response.writeHead(200, { 'content-type': 'application/json' }))
        .then(() => response.end(JSON.stringify({ access_token: 'token-of-this-server', token_type: 'Bearer' })))
    })
    await expect(arriveAt(redirectUri, state)).rejects.toMatchObject({ code: 'upstream_refused' })
    expect(await connections.credential('demo', 'swapped', '')).toMatchObject({ ok: false })
  })
})
