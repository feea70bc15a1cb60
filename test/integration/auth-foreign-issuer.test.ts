import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuardedFetch, type FetchPolicy } from '../../src/egress/index.ts'
import { startForeignIssuer, type ForeignIssuer } from '../support/foreign-issuer.ts'

const policy: FetchPolicy = {
  purpose: 'test',
  maxBytes: 100_000,
  timeoutMs: 5000,
  allow: { networks: ['127.0.0.0/8'] },
}
const guardedFetch = createGuardedFetch()

async function json(url: string): Promise<Record<string, unknown>> {
  const answer = await guardedFetch(url, {}, policy)
  if (!answer.ok) throw new Error(answer.reason)
  return JSON.parse(Buffer.from(answer.body).toString()) as Record<string, unknown>
}

describe.each(['', '/', '/realms/demo'])('an issuer under "%s"', (path) => {
  let issuer: ForeignIssuer
  beforeAll(async () => {
    issuer = await startForeignIssuer({ path })
  })
  afterAll(() => issuer.close())

  it('is found through its metadata, publishes the key that signs, and can be down', async () => {
    const metadata = await json(`${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
    expect(metadata.issuer).toBe(issuer.issuer)
    const kids = async () => ((await json(String(metadata.jwks_uri))).keys as { kid: string }[]).map(({ kid }) => kid)
    expect(await kids()).toEqual([issuer.key().kid])
    const before = issuer.key().kid
    await issuer.rotateKeys({ keepOld: true })
    expect(await kids()).toEqual([issuer.key().kid, before])
    issuer.goDown()
    await expect(kids()).rejects.toThrow('unreachable')
    issuer.comeBack()
    expect(await kids()).toHaveLength(2)
  })

  it('issues access tokens as JWT with any claims, and opaque ones', async () => {
    const resource = 'https://mcpworks.example/mcp/demo'
    const token = await issuer.requestToken({ resource, claims: { groups: ['a'] } })
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ iss: issuer.issuer, aud: resource, groups: ['a'], client_id: 'workload' })
    const opaque = await issuer.requestToken({ resource, format: 'opaque' })
    expect(opaque).not.toContain('.')
    await issuer.revoke(opaque)
  })
})
