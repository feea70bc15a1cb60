import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { routes, type Route } from '../../src/http/index.ts'
import { agent, sendRaw, startHarness, type Harness } from '../support/http-harness.ts'
import { verifies } from '../conformance/requirements.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness({
    callers: {
      'mcp-only': agent('machine'),
      'admin-only': agent('owner', 'demo', ['admin']),
      'no-scope': agent('nobody', 'demo', []),
    },
  })
})
afterAll(() => harness.close())

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const
const filled = (route: Route): string => route.path.replaceAll(/\{[a-zA-Z]+\}/g, 'demo')
const isPublic = (path: string, method: string): boolean =>
  routes.some((route) => route.access.kind === 'public' && route.path === path && route.method === method)

const guesses = [
  '/',
  '//',
  '/sse',
  '/messages',
  '/message',
  '/api',
  '/api/v1',
  '/api/v2/namespaces',
  '/metrics',
  '/admin',
  '/console',
  '/debug',
  '/mcp',
  '/mcp/',
  '/mcp/demo/',
  '/mcp/x/y',
  '/mcp/../healthz',
  '/mcp/%2e%2e/healthz',
  '/healthz/',
  '/healthz/x',
  '/HEALTHZ',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/favicon.ico',
  '/robots.txt',
  '/server-status',
  '*',
]

describe('without a credential', () => {
  it(verifies('public-list', 'has one public route, /healthz'), () => {
    expect(
      routes.filter((route) => route.access.kind === 'public').map((route) => `${route.method} ${route.path}`),
    ).toEqual(['GET /healthz'])
  })

  it(
    verifies('public-list', 'refuses every route of the table and every guess, by every method, with 401'),
    async () => {
      const paths = [...new Set([...routes.map(filled), ...guesses])]
      const open: string[] = []
      for (const path of paths) {
        for (const method of methods) {
          if (isPublic(path, method)) continue
          const { status } = await sendRaw(harness.port, { method, path })
          if (status !== 401) open.push(`${method} ${path} ${status}`)
        }
      }
      expect(open).toEqual([])
      expect(paths.length).toBeGreaterThan(routes.length)
    },
  )

  it(verifies('challenge', 'gives a Bearer challenge without error, the same body for every path'), async () => {
    const known = await sendRaw(harness.port, { method: 'POST', path: '/mcp/demo' })
    const unknown = await sendRaw(harness.port, { method: 'POST', path: '/mcp/other/way' })
    expect(known.headers['www-authenticate']).toBe(
      `Bearer realm="mcpworks", resource_metadata="${harness.url}/.well-known/oauth-protected-resource/mcp/demo", scope="mcp", ` +
        `DPoP realm="mcpworks", resource_metadata="${harness.url}/.well-known/oauth-protected-resource/mcp/demo", scope="mcp", ` +
        `algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512"`,
    )
    expect(known.text).toBe(unknown.text)
    expect(known.json).toEqual({
      error: { code: 'credential_missing', message: expect.stringContaining('Authorization: Bearer') },
    })
  })

  it(verifies('challenge', 'calls a credential that is no good invalid_token, without saying why'), async () => {
    const answer = await sendRaw(harness.port, { path: '/mcp/demo', headers: ['Authorization', 'Bearer wrong-canary'] })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(`${answer.text}${JSON.stringify(answer.headers)}${JSON.stringify(harness.refusals)}`).not.toContain(
      'wrong-canary',
    )
  })

  it('answers /healthz with what refuses, and 503 when something does', async () => {
    const sick = await startHarness({ health: () => ({ ok: false, refusing: ['decision-log'] }) })
    expect((await sendRaw(harness.port, { path: '/healthz' })).json).toEqual({ ok: true, refusing: [] })
    const answer = await sendRaw(sick.port, { path: '/healthz' })
    await sick.close()
    expect([answer.status, answer.json]).toEqual([503, { ok: false, refusing: ['decision-log'] }])
  })
})

describe('with a credential', () => {
  const authorized = (credential: string): string[] => ['Authorization', `Bearer ${credential}`]

  it('answers 404 for every guess', async () => {
    for (const path of guesses) {
      const { status, json } = await sendRaw(harness.port, { path, headers: authorized('mcp-only') })
      expect([path, status, json]).toEqual([
        path,
        404,
        { error: { code: 'not_found', message: 'There is nothing here.' } },
      ])
    }
  })

  it(verifies('post-only', 'answers GET and DELETE on an MCP endpoint with 405 and Allow: POST'), async () => {
    for (const method of ['GET', 'DELETE', 'PUT', 'OPTIONS']) {
      const answer = await sendRaw(harness.port, { method, path: '/mcp/demo', headers: authorized('mcp-only') })
      expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, 'POST'])
    }
  })

  it(
    verifies('scope-challenge', 'answers 403 insufficient_scope for every route whose scope the credential lacks'),
    async () => {
      for (const route of routes) {
        if (route.access.kind !== 'credential') continue
        const { scope } = route.access
        for (const credential of ['no-scope', scope === 'mcp' ? 'admin-only' : 'mcp-only']) {
          const answer = await sendRaw(harness.port, {
            method: route.method,
            path: filled(route),
            headers: authorized(credential),
          })
          expect([route.path, answer.status]).toEqual([route.path, 403])
          expect(answer.headers['www-authenticate']).toContain(`error="insufficient_scope"`)
          expect(answer.headers['www-authenticate']).toContain(`scope="${scope}"`)
        }
      }
    },
  )

  it(verifies('namespace-entry', 'answers an unknown namespace as there is nothing here'), async () => {
    const answer = await sendRaw(harness.port, {
      method: 'POST',
      path: '/mcp/nowhere',
      headers: authorized('mcp-only'),
    })
    expect([answer.status, answer.json]).toEqual([
      404,
      { error: { code: 'not_found', message: 'There is nothing here.' } },
    ])
  })

  it('tells the door who was refused where, and never the credential', async () => {
    harness.refusals.length = 0
    await sendRaw(harness.port, { method: 'POST', path: '/mcp/demo', headers: authorized('admin-only') })
    expect(harness.refusals).toEqual([
      {
        code: 'scope_missing',
        status: 403,
        address: '127.0.0.1',
        route: '/mcp/{namespace}',
        namespace: 'demo',
        principalId: 'demo/owner',
        credentialId: 'key-of-owner',
        reason: 'scope mcp',
      },
    ])
  })
})
