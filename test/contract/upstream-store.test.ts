import { describe, expect, it } from 'vitest'
import {
  createLocalKeyManagement,
  createUpstreamVault,
  type MasterKey,
  type SecretName,
  type StoredUpstream,
} from '../../src/auth/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import type { Storage } from '../../src/storage/index.ts'
import { implementations, opened } from './implementations.ts'

const server: StoredUpstream = {
  namespace: 'demo',
  name: 'tickets',
  url: 'https://tickets.example/mcp',
  method: 'oauth',
  owner: 'namespace',
  issuer: null,
  clientId: null,
  scopes: ['read', 'write'],
  header: 'authorization',
  prefix: 'Bearer ',
  createdAtMs: 1_780_000_000_000,
  createdBy: 'operator',
}

const tokens: SecretName = { namespace: 'demo', server: 'tickets', ownerId: '', kind: 'tokens' }
const canary = 'canary-upstream-secret'
const noExpiry = { expiresAtMs: null }

const vaultOf = ({ upstreams, masterKey }: Storage) =>
  createUpstreamVault(upstreams, createLocalKeyManagement(masterKey), systemClock)

async function stored(storage: Storage, name: SecretName) {
  const secret = await storage.upstreams.findSecret(name)
  if (secret === null) throw new Error('no such secret')
  return secret
}

describe.each(implementations)('upstream servers on $name', ({ place }) => {
  it('are kept over a restart, once per name', async () => {
    const where = place()
    const first = await where.open()
    await first.upstreams.insertServer(server)
    await first.upstreams.insertServer({ ...server, namespace: 'other' })
    await expect(first.upstreams.insertServer(server)).rejects.toMatchObject({ code: 'already_exists' })
    await first.upstreams.setClientId('demo', 'tickets', 'our-id')
    await first.close()
    const { upstreams } = await opened(where)
    expect(await upstreams.listServers('demo')).toEqual([{ ...server, clientId: 'our-id' }])
    expect(await upstreams.findServer('other', 'tickets')).toMatchObject({ namespace: 'other', clientId: null })
    expect(await upstreams.findServer('demo', 'nothing')).toBeNull()
  })

  it('go with their secrets and with those of no other server', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    await storage.upstreams.insertServer(server)
    await vault.put(tokens, canary, noExpiry, 0)
    await vault.put({ ...tokens, server: 'mail' }, canary, noExpiry, 0)
    await vault.put({ ...tokens, namespace: 'other' }, canary, noExpiry, 0)
    await storage.upstreams.removeServer('demo', 'tickets')
    expect(await storage.upstreams.findServer('demo', 'tickets')).toBeNull()
    expect(await storage.upstreams.listSecrets('demo', null)).toMatchObject([{ server: 'mail' }])
    expect(await storage.upstreams.listSecrets('other', 'tickets')).toHaveLength(1)
  })
})

describe.each(implementations)('upstream secrets on $name', ({ place }) => {
  it('are sealed, and open after a restart', async () => {
    const where = place()
    const first = await where.open()
    expect(await vaultOf(first).put(tokens, canary, { expiresAtMs: 5 }, 0)).toBe(true)
    const sealed = await stored(first, tokens)
    expect(Buffer.from(sealed.sealed).includes(canary)).toBe(false)
    expect(sealed).toMatchObject({ version: 1, epoch: 1, status: 'connected', expiresAtMs: 5 })
    await first.close()
    const again = await opened(where)
    expect(await vaultOf(again).open(await stored(again, tokens))).toBe(canary)
  })

  it('are replaced only by who knows the version that they have', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    expect(await vault.put(tokens, 'one', noExpiry, 0)).toBe(true)
    expect(await vault.put(tokens, 'lost', noExpiry, 0)).toBe(false)
    const both = await Promise.all([vault.put(tokens, 'left', noExpiry, 1), vault.put(tokens, 'right', noExpiry, 1)])
    expect(both.filter(Boolean)).toHaveLength(1)
    expect(await storage.upstreams.changeSecret(tokens, 1, { status: 'needs-consent' })).toBe(false)
    expect(
      await storage.upstreams.changeSecret(tokens, 2, { status: 'needs-consent', failures: 3, retryAtMs: 9 }),
    ).toBe(true)
    expect(await stored(storage, tokens)).toMatchObject({
      version: 2,
      status: 'needs-consent',
      failures: 3,
      retryAtMs: 9,
    })
    expect(await storage.upstreams.removeSecret(tokens)).toBe(true)
    expect(await storage.upstreams.removeSecret(tokens)).toBe(false)
  })

  it('do not open in the place of another, and open in their own', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    await vault.put(tokens, canary, noExpiry, 0)
    await vault.put(tokens, 'second', noExpiry, 1)
    const secret = await stored(storage, tokens)
    for (const swapped of [
      { namespace: 'other' },
      { server: 'mail' },
      { ownerId: 'anna' },
      { kind: 'client' as const },
      { version: 1 },
      { sealed: Uint8Array.from(secret.sealed, (byte, index) => (index === 20 ? byte ^ 1 : byte)) },
    ]) {
      if (swapped.namespace !== undefined) await vault.put({ ...tokens, ...swapped }, 'x', noExpiry, 0)
      const failure: unknown = await vault.open({ ...secret, ...swapped }).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: 'storage_unavailable' })
      expect(JSON.stringify(failure)).not.toContain('second')
    }
    expect(await vault.open(secret)).toBe('second')
  })

  it('are found when they are due, and not before or while nothing is to be tried', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    await vault.put(tokens, 'a', { expiresAtMs: 100 }, 0)
    await vault.put({ ...tokens, ownerId: 'anna' }, 'b', { expiresAtMs: 200 }, 0)
    await vault.put({ ...tokens, ownerId: 'ben' }, 'c', noExpiry, 0)
    const due = async (before: number, now: number) =>
      (await storage.upstreams.listDue(before, now)).map(({ ownerId }) => ownerId)
    expect(await due(99, 0)).toEqual([])
    expect(await due(200, 0)).toEqual(['', 'anna'])
    await storage.upstreams.changeSecret(tokens, 1, { retryAtMs: 50 })
    expect(await due(200, 49)).toEqual(['anna'])
    expect(await due(200, 50)).toEqual(['', 'anna'])
    await storage.upstreams.changeSecret(tokens, 1, { status: 'needs-consent' })
    expect(await due(200, 50)).toEqual(['anna'])
  })

  it('open under a new data key, and no longer under the one before', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    await vault.put(tokens, canary, { expiresAtMs: 7 }, 0)
    const before = await stored(storage, tokens)
    expect(await vault.rotateDataKey('demo')).toEqual({ epoch: 2, resealed: 1 })
    const after = await stored(storage, tokens)
    expect(after).toMatchObject({ epoch: 2, version: 2, expiresAtMs: 7 })
    expect(await vault.open(after)).toBe(canary)
    await expect(vault.open(before)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await storage.upstreams.listKeys('demo')).toMatchObject([{ epoch: 2 }])
  })

  it('open under another master key once their data keys are wrapped anew, and not before', async () => {
    const storage = await opened(place())
    await vaultOf(storage).put(tokens, canary, noExpiry, 0)
    const other = await opened(implementations[0]?.place() ?? place())
    const keys = createLocalKeyManagement(other.masterKey)
    const vault = createUpstreamVault(storage.upstreams, keys, systemClock)
    await expect(vault.open(await stored(storage, tokens))).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await vault.rewrap(createLocalKeyManagement(storage.masterKey))).toBe(1)
    expect(await vault.rewrap(createLocalKeyManagement(storage.masterKey))).toBe(0)
    expect(await vault.open(await stored(storage, tokens))).toBe(canary)
    await expect(vaultOf(storage).open(await stored(storage, tokens))).rejects.toMatchObject({
      code: 'storage_unavailable',
    })
  })

  it('cannot be opened once the keys of their namespace are destroyed; those of another can', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    const elsewhere = { ...tokens, namespace: 'other' }
    await vault.put(tokens, canary, noExpiry, 0)
    await vault.put(elsewhere, canary, noExpiry, 0)
    await vault.destroyNamespace('demo')
    await expect(vault.open(await stored(storage, tokens))).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await vault.open(await stored(storage, elsewhere))).toBe(canary)
  })

  it('get one first data key, however many are stored at once', async () => {
    const storage = await opened(place())
    const vault = vaultOf(storage)
    const owners = ['a', 'b', 'c', 'd']
    await Promise.all(owners.map((ownerId) => vault.put({ ...tokens, ownerId }, ownerId, noExpiry, 0)))
    for (const ownerId of owners) expect(await vault.open(await stored(storage, { ...tokens, ownerId }))).toBe(ownerId)
    expect(await storage.upstreams.listKeys('demo')).toHaveLength(1)
  })
})

/** Every implementation of the port to key management. */
const services = [
  { name: 'the master key of a data directory', of: (masterKey: MasterKey) => createLocalKeyManagement(masterKey) },
]

describe.each(services)('key management by $name', ({ of }) => {
  const key = Uint8Array.from({ length: 32 }, (_, index) => index)

  it('gives back what it wrapped, for the same purpose alone', async () => {
    const { masterKey } = await opened(implementations[0]?.place() ?? { open: () => Promise.reject(new Error('none')) })
    const service = of(masterKey)
    const wrapped = await service.wrap('a', key)
    expect(Buffer.from(wrapped.wrapped).includes(Buffer.from(key))).toBe(false)
    expect(wrapped.wrappingKeyId).toBe(await service.currentKeyId())
    expect(Buffer.from(await service.unwrap('a', wrapped))).toEqual(Buffer.from(key))
    await expect(service.unwrap('b', wrapped)).rejects.toMatchObject({ code: 'storage_unavailable' })
    const changed = { ...wrapped, wrapped: Uint8Array.from(wrapped.wrapped, (byte) => byte ^ 1) }
    await expect(service.unwrap('a', changed)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })
})
