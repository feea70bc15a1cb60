import { describe, expect, it } from 'vitest'
import type { StoredCredential, StoredKey, StoredPrincipal } from '../../src/auth/index.ts'
import { implementations, opened } from './implementations.ts'

const agent: StoredPrincipal = {
  type: 'agent',
  id: 'demo/analyst',
  name: 'analyst',
  namespace: 'demo',
  groups: ['analysts', 'staff'],
  ownerId: 'anna',
  disabledAtMs: null,
  senderConstrainedOnly: true,
  createdAtMs: 1_780_000_000_000,
  revokedAtMs: null,
}

const key: StoredKey = {
  id: 'k1',
  principalId: agent.id,
  label: 'laptop',
  secretSha256: 'ab'.repeat(32),
  scopes: ['mcp', 'admin'],
  createdAtMs: 1_780_000_000_001,
  expiresAtMs: null,
  revokedAtMs: null,
}

const credential: StoredCredential = {
  id: 'c1',
  kind: 'binding',
  principalId: agent.id,
  label: 'deploy job',
  scopes: ['mcp'],
  details: { issuer: 'https://issuer.example', match: { repository: 'a/b' } },
  createdAtMs: 1_780_000_000_002,
  expiresAtMs: 1_790_000_000_000,
  revokedAtMs: null,
}

describe.each(implementations)('the stores of principals on $name', ({ place }) => {
  it('let an assertion be used once, also by callers at the same time and over a restart, until it has expired', async () => {
    const where = place()
    const first = await where.open()
    const claims = Array.from({ length: 5 }, () =>
      first.usedAssertions.claim('https://issuer.example', 'a', 2000, 1000),
    )
    expect((await Promise.all(claims)).toSorted()).toEqual([false, false, false, false, true])
    expect(await first.usedAssertions.claim('https://other.example', 'a', 2000, 1000)).toBe(true)
    await first.close()
    const { usedAssertions } = await opened(where)
    expect(await usedAssertions.claim('https://issuer.example', 'a', 2000, 2000)).toBe(false)
    expect(await usedAssertions.claim('https://issuer.example', 'a', 9000, 2001)).toBe(true)
  })

  it('keep principals and keys over a restart', async () => {
    const where = place()
    const first = await where.open()
    await first.credentials.insertPrincipal(agent)
    await first.credentials.insertKey(key)
    await first.credentials.insertCredential(credential)
    await first.close()
    const { credentials } = await opened(where)
    expect(await credentials.load()).toEqual({ principals: [agent], keys: [key], credentials: [credential] })
  })

  it('never give a principal id out twice, revoked or not', async () => {
    const { credentials } = await opened(place())
    await credentials.insertPrincipal(agent)
    await credentials.updatePrincipal(agent.id, { revokedAtMs: 5 })
    await expect(credentials.insertPrincipal(agent)).rejects.toMatchObject({ code: 'already_exists' })
  })

  it('change groups and revocation apart from each other, and keep the first revocation', async () => {
    const { credentials } = await opened(place())
    await credentials.insertPrincipal(agent)
    await credentials.insertKey(key)
    await credentials.updatePrincipal(agent.id, { groups: ['none'] })
    await credentials.updatePrincipal(agent.id, { revokedAtMs: 100 })
    await credentials.updatePrincipal(agent.id, { revokedAtMs: 200 })
    await credentials.revokeKey(key.id, 300)
    await credentials.revokeKey(key.id, 400)
    await credentials.insertCredential(credential)
    await credentials.revokeCredential(credential.id, 500)
    await credentials.revokeCredential(credential.id, 600)
    const { principals, keys, credentials: others } = await credentials.load()
    expect(principals).toEqual([{ ...agent, groups: ['none'], revokedAtMs: 100 }])
    expect(keys).toEqual([{ ...key, revokedAtMs: 300 }])
    expect(others).toEqual([{ ...credential, revokedAtMs: 500 }])
  })

  it('refuse to change what is not there, and keys of nobody', async () => {
    const { credentials } = await opened(place())
    await expect(credentials.updatePrincipal('nobody', { revokedAtMs: 1 })).rejects.toMatchObject({
      code: 'unknown_object',
    })
    await expect(credentials.revokeKey('none', 1)).rejects.toMatchObject({ code: 'unknown_object' })
    await expect(credentials.insertKey(key)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })

  it('keep closures over a restart, the first of each, and remove them one by one', async () => {
    const where = place()
    const first = await where.open()
    const closure = (namespace: string | null, reason: string) => ({
      namespace,
      closedAtMs: 1_780_000_000_000,
      closedBy: 'anna',
      reason,
    })
    await first.closures.insert(closure('demo', 'leak'))
    await first.closures.insert(closure('demo', 'a later one'))
    await first.closures.insert(closure(null, 'everything'))
    await first.closures.insert(closure('other', 'too'))
    await first.closures.remove('other')
    await first.closures.remove('never closed')
    await first.close()
    const { closures } = await opened(where)
    expect(await closures.load()).toEqual([closure(null, 'everything'), closure('demo', 'leak')])
    await closures.remove(null)
    expect(await closures.load()).toEqual([closure('demo', 'leak')])
  })

  it('keep the latest use of each credential over a restart, many at once', async () => {
    const where = place()
    const first = await where.open()
    const many = new Map(Array.from({ length: 2500 }, (_, index) => [`c${index}`, 1000 + index]))
    await first.credentialUses.write(many)
    await first.credentialUses.write(
      new Map([
        ['c0', 5000],
        ['c1', 1],
      ]),
    )
    await first.credentialUses.write(new Map())
    await first.close()
    const { credentialUses } = await opened(where)
    expect(await credentialUses.load()).toEqual(new Map([...many, ['c0', 5000]]))
  })
})
