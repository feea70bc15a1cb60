import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'

const github = 'https://token.actions.githubusercontent.com'
const match = { repository: 'acme/site', ref: 'refs/heads/main' }

let app: TestApp
beforeAll(async () => {
  const { publicKey } = await generateKeyPair('Ed25519', { extractable: true })
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1' }]
  const issuers = [
    { preset: 'github-actions', keys },
    { preset: 'kubernetes', issuer: 'https://one.example', keys },
    { preset: 'kubernetes', issuer: 'https://two.example', keys },
  ]
  app = await startTestApp({ configuration: { auth: { workload: { issuers } } } as unknown as JsonObject })
  await app.apply('demo', { 'namespace.yaml': 'namespace: demo\n' })
  await app.apply('other', { 'namespace.yaml': 'namespace: other\n' })
  await app.manage('demo', 'agent.add', { namespace: 'demo', agent: 'deployer', groups: [] })
})
afterAll(() => app.close())

const add = (more: JsonObject) =>
  app.manage('demo', 'binding.add', { namespace: 'demo', agent: 'deployer', match, ...more })

const claims = (): JsonObject => {
  const now = Math.floor(Date.now() / 1000)
  return { iss: github, sub: 'repo:acme/site', aud: app.app.url, iat: now, exp: now + 300, jti: 'j', ...match }
}

const tryWith = (more: JsonObject, header: JsonObject = { alg: 'RS256', kid: 'k1' }) =>
  app.manage('demo', 'binding.try', { namespace: 'demo', header, claims: { ...claims(), ...more } })

describe('bindings', () => {
  it('are added to an issuer that is trusted, by identifier or by the only one of its kind', async () => {
    expect(await add({ preset: 'github-actions', label: 'deploy' })).toMatchObject({
      binding: { agent: 'demo/deployer', issuer: github, match, label: 'deploy', scopes: ['mcp'] },
      warnings: [],
    })
    const sub = 'system:serviceaccount:ci:deployer'
    expect(await add({ issuer: 'https://two.example', match: { sub } })).toMatchObject({
      binding: { issuer: 'https://two.example' },
    })
    await expect(add({ preset: 'kubernetes', match: { sub } })).rejects.toThrow(/say which: https:\/\/one/)
    await expect(add({ issuer: 'https://evil.example' })).rejects.toThrow(/No issuer https:\/\/evil.example is trusted/)
  })

  it('that are too wide are refused with what to name', async () => {
    await expect(add({ preset: 'github-actions', match: { ref: 'refs/heads/main' } })).rejects.toThrow(/OWNER\/NAME/)
    await expect(add({ preset: 'github-actions', match: {} })).rejects.toThrow(/at least one claim/)
    expect(await add({ preset: 'github-actions', match: { repository: 'acme/wide' } })).toMatchObject({
      warnings: [expect.stringContaining('Neither ref nor environment')],
    })
  })

  it('tell which of them an assertion would match, and which claim did not', async () => {
    expect(await tryWith({})).toMatchObject({ agent: 'demo/deployer', problem: null, issuer: github, kind: 'workload' })
    expect(await tryWith({ ref: 'refs/heads/other' })).toMatchObject({
      agent: null,
      mismatch: expect.stringMatching(/nearest [a-z0-9]{12} of demo\/deployer: ref different/),
    })
    expect(await tryWith({ aud: 'https://other.example' })).toMatchObject({
      agent: 'demo/deployer',
      problem: 'aud names another server than this one',
    })
    expect(await tryWith({ iss: 'https://evil.example' })).toMatchObject({
      agent: null,
      problem: 'the issuer is not trusted',
    })
  })

  it('are those of their namespace alone', async () => {
    const listed = await app.manage('other', 'binding.list', { namespace: 'other' })
    expect(listed.bindings).toEqual([])
    const { bindings } = (await app.manage('demo', 'binding.list', { namespace: 'demo' })) as { bindings: JsonObject[] }
    const id = String(bindings[0]?.id)
    await expect(app.manage('other', 'binding.remove', { namespace: 'other', binding: id })).rejects.toThrow(
      /no binding/,
    )
  })

  it('once removed match nothing', async () => {
    const { bindings } = (await app.manage('demo', 'binding.list', { namespace: 'demo' })) as { bindings: JsonObject[] }
    for (const { id } of bindings)
      await app.manage('demo', 'binding.remove', { namespace: 'demo', binding: String(id) })
    expect(await tryWith({})).toMatchObject({ agent: null, mismatch: 'no binding names this issuer' })
    await expect(app.manage('demo', 'binding.remove', { namespace: 'demo', binding: 'abcdefghijkl' })).rejects.toThrow(
      /no binding/,
    )
  })
})
