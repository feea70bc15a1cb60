import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { accessTokenType, grants, platforms, startFederatedApp, type FederatedApp } from '../support/federated-app.ts'
import { createJwsSigner, dpopProof } from '../support/jws-signer.ts'
import { toolResult } from '../support/running-app.ts'
import { enterpriseProvider, listToolsWith, workloadProvider } from '../support/workload-client.ts'

let here: FederatedApp
beforeAll(async () => {
  here = await startFederatedApp()
  await here.bind('deployer', platforms.github, { repository: 'acme/site', ref: 'refs/heads/main' })
  await here.bind('helper', platforms.kubernetes, { sub: 'system:serviceaccount:ci:helper' })
  await here.bind('third', platforms.spiffe, { sub: 'spiffe://example.org/ns/ci/sa/third' })
  await here.bind('deployer', here.foreign.issuer, { sub: 'job-7' })
})
afterAll(() => here[Symbol.asyncDispose]())

const github = (more = {}) =>
  here.assert('github', {
    sub: 'repo:acme/site:ref:refs/heads/main',
    repository: 'acme/site',
    ref: 'refs/heads/main',
    ...more,
  })
const kubernetes = (more = {}) => here.assert('kubernetes', { sub: 'system:serviceaccount:ci:helper', ...more })
const spiffe = (more = {}) =>
  here.assert('spiffe', {
    iss: undefined,
    iat: undefined,
    jti: undefined,
    sub: 'spiffe://example.org/ns/ci/sa/third',
    ...more,
  })

async function tokenFor(assertion: string): Promise<string> {
  const { status, body } = await here.show(assertion)
  expect(body).toMatchObject({ access_token: expect.any(String) })
  expect(status).toBe(200)
  return String(body.access_token)
}

const claimsOf = (token: unknown) =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as JsonObject

describe('a workload', () => {
  it.each([
    ['a job of GitHub Actions', () => github(), 'demo/deployer'],
    ['a pod of Kubernetes', () => kubernetes(), 'demo/helper'],
    ['a SPIFFE workload, whose token has neither iss nor iat nor jti', () => spiffe(), 'demo/third'],
    [
      'a workload of an issuer found by discovery',
      () => here.assertAt(here.foreign, { sub: 'job-7' }),
      'demo/deployer',
    ],
  ])('%s gets a token of its agent and calls with it', async (_, assertion, agent) => {
    const { body } = await here.show(assertion())
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'mcp' })
    const token = String(body.access_token)
    expect(claimsOf(token)).toMatchObject({ iss: here.url, sub: agent, aud: here.resource('demo'), scope: 'mcp' })
    const { message } = await here.app.call(token, 'demo', 'echo', { text: 'hi' })
    expect(toolResult(message).text).toContain(`${agent} said`)
    expect((await here.app.call(token, 'other', 'echo', { text: 'hi' })).status).toBe(401)
  })

  it('is recorded with the issuer and subject that it was, and never with its assertion or token', async () => {
    const assertion = github()
    const token = await tokenFor(assertion)
    const refusedOne = github({ ref: 'refs/heads/canary-of-a-branch' })
    expect((await here.show(refusedOne)).body).toMatchObject({ error: 'invalid_grant' })
    const logged = await here.records()
    expect(logged).toContain('"assertion":"workload"')
    expect(logged).toContain('repo:acme/site:ref:refs/heads/main')
    for (const text of [assertion, token, refusedOne]) {
      for (const part of text.split('.').slice(1)) expect(logged).not.toContain(part)
    }
    expect(logged).not.toContain('canary-of-a-branch')
  })

  it('loses what it got with its binding, from the next request on', async () => {
    const id = await here.bind('third', here.foreign.issuer, { sub: 'job-8' })
    const token = await tokenFor(here.assertAt(here.foreign, { sub: 'job-8' }))
    expect((await here.app.call(token, 'demo', 'echo', {})).status).toBe(200)
    await here.app.manage('demo', 'binding.remove', { namespace: 'demo', binding: id })
    expect((await here.app.call(token, 'demo', 'echo', {})).status).toBe(401)
    expect((await here.show(here.assertAt(here.foreign, { sub: 'job-8' }))).body).toMatchObject({
      error: 'invalid_grant',
    })
  })

  it('is believed after its issuer has changed its keys, and with the old keys no more', async () => {
    const old = here.assertAt(here.foreign, { sub: 'job-7' })
    await here.foreign.rotateKeys()
    expect((await here.show(here.assertAt(here.foreign, { sub: 'job-7' }))).status).toBe(200)
    expect((await here.show(old)).body).toMatchObject({ error: 'invalid_grant' })
  })

  it('gets a token bound to its key for a DPoP proof', async () => {
    const key = createJwsSigner()
    const { body } = await here.show(kubernetes(), {}, { dpop: here.proof(key) })
    expect(body).toMatchObject({ token_type: 'DPoP' })
    const token = String(body.access_token)
    expect(claimsOf(token)).toMatchObject({ cnf: { jkt: key.thumbprint } })
    expect((await here.app.call(token, 'demo', 'echo', {})).status).toBe(401)
  })

  it('is served through the official client, which learns of the grant by discovery', async () => {
    const metadata = await (await fetch(`${here.url}/.well-known/oauth-authorization-server`)).json()
    expect(metadata).toMatchObject({
      grant_types_supported: expect.arrayContaining([grants.assertion, grants.exchange]),
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
    })
    const provider = workloadProvider(async (server) => github({ aud: server }))
    expect(await listToolsWith(here.resource('demo'), provider)).toEqual(['echo'])
  })
})

describe('an identity assertion', () => {
  it('gets the client that it names a token for the endpoint that it names, through the official client', async () => {
    const { client, clientSecret } = await here.app.manage('demo', 'client.create', {
      namespace: 'demo',
      agent: 'helper',
    })
    const clientId = isJsonObject(client) ? String(client.id) : ''
    await here.bind('third', here.foreign.issuer, { sub: 'U019488227', client_id: clientId })
    const login = { clientId, clientSecret: String(clientSecret), expectedIssuer: here.url }
    const identity = { sub: 'U019488227', client_id: clientId, resource: here.resource('demo'), scope: 'mcp' }
    const sign = () => here.assertAt(here.foreign, identity, { typ: 'oauth-id-jag+jwt' })
    const provider = enterpriseProvider({ ...login, identityAssertion: async () => sign() })
    expect(await listToolsWith(here.resource('demo'), provider)).toEqual(['echo'])
    const basic = { authorization: `Basic ${btoa(`${login.clientId}:${login.clientSecret}`)}` }
    const { body } = await here.post({ grant_type: grants.assertion, assertion: sign() }, basic)
    expect(claimsOf(body.access_token)).toMatchObject({
      sub: 'demo/third',
      client_id: clientId,
      aud: here.resource('demo'),
    })
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

  it('lets one agent act for another, and the records say who acts for whom', async () => {
    const owner = await tokenFor(github())
    const { body } = await exchange(owner, await tokenFor(kubernetes()))
    expect(body).toMatchObject({ token_type: 'Bearer', issued_token_type: accessTokenType, scope: 'mcp' })
    expect(Number(body.expires_in)).toBeLessThanOrEqual(300)
    expect(claimsOf(body.access_token)).toMatchObject({ sub: 'demo/deployer', act: { sub: 'demo/helper' } })
    const second = await exchange(String(body.access_token), await tokenFor(spiffe()))
    expect(claimsOf(second.body.access_token)).toMatchObject({
      sub: 'demo/deployer',
      act: { sub: 'demo/third', act: { sub: 'demo/helper' } },
    })
    const { message } = await here.app.call(String(second.body.access_token), 'demo', 'echo', {})
    const { text, call } = toolResult(message)
    expect(text).toContain('demo/deployer said')
    expect(await here.app.manage('demo', 'audit.why', { namespace: 'demo', call })).toMatchObject({
      who: { id: 'demo/deployer', actors: ['demo/third', 'demo/helper'], issuer: here.url },
    })
  })

  it('ends with the credential of the one who acts', async () => {
    const id = await here.bind('third', here.foreign.issuer, { sub: 'job-9' })
    const actor = await tokenFor(here.assertAt(here.foreign, { sub: 'job-9' }))
    const { body } = await exchange(await tokenFor(github()), actor)
    const token = String(body.access_token)
    expect((await here.app.call(token, 'demo', 'echo', {})).status).toBe(200)
    await here.app.manage('demo', 'binding.remove', { namespace: 'demo', binding: id })
    expect((await here.app.call(token, 'demo', 'echo', {})).status).toBe(401)
  })

  it('keeps a token bound to the key of the one who acts', async () => {
    const key = createJwsSigner()
    const bound = await here.show(kubernetes(), {}, { dpop: here.proof(key) })
    const actor = String(bound.body.access_token)
    const owner = await tokenFor(github())
    expect((await exchange(owner, actor)).body).toMatchObject({ error: 'invalid_request' })
    const { body } = await exchange(owner, actor, {}, { dpop: here.proof(key) })
    expect(body).toMatchObject({ token_type: 'DPoP' })
    const token = String(body.access_token)
    const url = here.resource('demo')
    const proof = dpopProof(key, { method: 'POST', url, token, nowMs: Date.now() })
    const request = { method: 'POST', headers: { authorization: `DPoP ${token}`, dpop: proof }, body: '{}' }
    // Past the door: the body is what is wrong with it.
    expect((await fetch(url, request)).status).toBe(415)
    expect((await fetch(url, { ...request, headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  })
})

describe('bindings', () => {
  const add = (more: JsonObject) =>
    here.app.manage('demo', 'binding.add', { namespace: 'demo', agent: 'helper', preset: 'github-actions', ...more })
  const tryWith = (token: string) => {
    const [header, claims] = token.split('.').map(
      (part) =>
        JSON.parse(
          Buffer.from(part, 'base64url')
            .toString('latin1')
            .replace(/^[^{].*/s, '{}'),
        ) as JsonObject,
    )
    return here.app.manage('demo', 'binding.try', { namespace: 'demo', header: header ?? {}, claims: claims ?? {} })
  }

  it('are to an issuer that is trusted, and not too wide', async () => {
    const match = { repository: 'acme/wide' }
    expect(await add({ match })).toMatchObject({
      binding: { agent: 'demo/helper', issuer: platforms.github, match, scopes: ['mcp'] },
      warnings: [expect.stringContaining('Neither ref nor environment')],
    })
    await expect(add({ match: { ref: 'refs/heads/main' } })).rejects.toThrow(/OWNER\/NAME/)
    await expect(add({ match: {} })).rejects.toThrow(/at least one claim/)
    await expect(add({ preset: null, issuer: 'https://evil.example', match })).rejects.toThrow(/is trusted/)
    await expect(add({ preset: 'generic', issuer: platforms.github, match })).rejects.toThrow(/is trusted/)
    await expect(add({ preset: null, match })).rejects.toThrow(/say which/)
  })

  it('tell which of them an assertion would match, and which claim did not', async () => {
    expect(await tryWith(github())).toMatchObject({ agent: 'demo/deployer', problem: null, kind: 'workload' })
    expect(await tryWith(github({ ref: 'refs/heads/other' }))).toMatchObject({
      agent: null,
      mismatch: expect.stringMatching(/nearest [a-z0-9]{12} of demo\/deployer: ref different/),
    })
    expect(await tryWith(github({ aud: 'https://other.example' }))).toMatchObject({
      agent: 'demo/deployer',
      problem: 'aud names another server than this one',
    })
    expect(await tryWith(here.assertAt(here.stranger, {}))).toMatchObject({
      agent: null,
      problem: 'the issuer is not trusted',
    })
  })

  it('are those of their namespace alone', async () => {
    const { bindings } = await here.app.manage('demo', 'binding.list', { namespace: 'demo' })
    expect((await here.app.manage('other', 'binding.list', { namespace: 'other' })).bindings).toEqual([])
    const [first] = Array.isArray(bindings) ? bindings : []
    const binding = isJsonObject(first) ? String(first.id) : ''
    await expect(here.app.manage('other', 'binding.remove', { namespace: 'other', binding })).rejects.toThrow(
      /no binding/,
    )
  })
})
