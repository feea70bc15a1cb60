import { describe, expect, it } from 'vitest'
import type { StoredArtifact, StoredOAuthClient, StoredSigningKey } from '../../src/auth/index.ts'
import { implementations, opened } from './implementations.ts'

const code: StoredArtifact = {
  model: 'AuthorizationCode',
  idHash: 'hash-of-a-code',
  grantId: 'grant1',
  sealed: Uint8Array.of(0, 1, 255),
  expiresAtMs: 1_780_000_060_000,
  consumedAtMs: null,
}

const client: StoredOAuthClient = {
  id: 'client1',
  source: 'operator',
  name: 'A client',
  metadata: { redirect_uris: ['https://client.example/cb'] },
  createdAtMs: 1,
  createdBy: 'operator',
  expiresAtMs: null,
}

const key: StoredSigningKey = {
  kid: 'k1',
  algorithm: 'ES256',
  publicJwk: { kty: 'EC' },
  sealedPrivate: Uint8Array.of(9, 8),
  createdAtMs: 1,
  retiredAtMs: null,
}

/** Bytes compared as plain arrays, because a store may give any kind of byte array back. */
const comparable = (artifact: StoredArtifact | null) =>
  artifact === null ? null : { ...artifact, sealed: [...artifact.sealed] }

describe.each(implementations)('the stores of the authorization server on $name', ({ place }) => {
  it('keep artifacts over a restart, and their marks of use', async () => {
    const where = place()
    const first = await where.open()
    expect(await first.authorizations.insert(code)).toBe(true)
    expect(await first.authorizations.consume(code.model, code.idHash, 5)).toBe(true)
    await first.close()
    const { authorizations } = await opened(where)
    expect(comparable(await authorizations.find(code.model, code.idHash))).toEqual(
      comparable({ ...code, consumedAtMs: 5 }),
    )
    expect(await authorizations.consume(code.model, code.idHash, 6)).toBe(false)
  })

  it('let one of many that use an artifact at once through', async () => {
    const { authorizations } = await opened(place())
    await authorizations.insert(code)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) => authorizations.consume(code.model, code.idHash, at)),
    )
    expect(answers.filter((first) => first)).toHaveLength(1)
  })

  it('let one of many that insert the same id at once through', async () => {
    const { authorizations } = await opened(place())
    const answers = await Promise.all(Array.from({ length: 10 }, () => authorizations.insert(code)))
    expect(answers.filter((first) => first)).toHaveLength(1)
    expect(await authorizations.insert({ ...code, model: 'RefreshToken' })).toBe(true)
  })

  it('do not make a used artifact new by writing it again', async () => {
    const { authorizations } = await opened(place())
    await authorizations.put(code)
    await authorizations.consume(code.model, code.idHash, 5)
    await authorizations.put({ ...code, sealed: Uint8Array.of(7), expiresAtMs: 9 })
    expect(comparable(await authorizations.find(code.model, code.idHash))).toEqual(
      comparable({ ...code, sealed: Uint8Array.of(7), expiresAtMs: 9, consumedAtMs: 5 }),
    )
  })

  it('hold no more of a model than asked for, and go on writing what is there', async () => {
    const { authorizations } = await opened(place())
    const asked = { ...code, model: 'Interaction' }
    const many = Array.from({ length: 10 }, (_, at) => authorizations.put({ ...asked, idHash: `hash${at}` }, 3))
    expect((await Promise.all(many)).filter((written) => written)).toHaveLength(3)
    expect(await authorizations.put({ ...asked, idHash: 'hash0', expiresAtMs: 9 }, 3)).toBe(true)
    expect(await authorizations.put(code, 3)).toBe(true)
    await authorizations.sweep(9)
    expect(await authorizations.put({ ...asked, idHash: 'another' }, 3)).toBe(true)
  })

  it('remove one, all of a grant, or what has expired', async () => {
    const { authorizations } = await opened(place())
    const others = ['a', 'b', 'c'].map((idHash) => ({ ...code, idHash }))
    for (const artifact of [code, ...others]) await authorizations.insert(artifact)
    await authorizations.insert({ ...code, idHash: 'elsewhere', grantId: 'grant2', expiresAtMs: 10 })
    await authorizations.insert({ ...code, idHash: 'alone', grantId: null })
    await authorizations.remove(code.model, code.idHash)
    expect(await authorizations.find(code.model, code.idHash)).toBeNull()
    await authorizations.removeByGrant('grant1')
    expect(await authorizations.find(code.model, 'a')).toBeNull()
    expect(await authorizations.find(code.model, 'elsewhere')).not.toBeNull()
    await authorizations.sweep(10)
    expect(await authorizations.find(code.model, 'elsewhere')).toBeNull()
    expect(await authorizations.find(code.model, 'alone')).not.toBeNull()
  })

  it('remember revoked tokens until they would have expired', async () => {
    const { authorizations } = await opened(place())
    await authorizations.revokeToken('a', 10)
    await authorizations.revokeToken('a', 10)
    await authorizations.revokeToken('b', 20)
    await authorizations.sweep(10)
    expect(await authorizations.listRevokedTokens()).toEqual([{ tokenIdHash: 'b', expiresAtMs: 20 }])
  })

  it('keep clients, refuse an id twice, and forget what is removed', async () => {
    const { oauthClients } = await opened(place())
    await oauthClients.insert(client)
    await expect(oauthClients.insert(client)).rejects.toMatchObject({ code: 'already_exists' })
    const second: StoredOAuthClient = { ...client, id: 'client2', source: 'registration', expiresAtMs: 7 }
    await oauthClients.insert(second)
    expect(await oauthClients.load()).toEqual([client, second])
    await oauthClients.remove(client.id)
    await expect(oauthClients.remove(client.id)).rejects.toMatchObject({ code: 'unknown_object' })
    expect(await oauthClients.load()).toEqual([second])
  })

  it('keep signing keys, and the first retirement of each', async () => {
    const { signingKeys } = await opened(place())
    await signingKeys.insert(key)
    await expect(signingKeys.insert(key)).rejects.toMatchObject({ code: 'already_exists' })
    await signingKeys.insert({ ...key, kid: 'k2', createdAtMs: 2 })
    await signingKeys.retire('k1', 5)
    await signingKeys.retire('k1', 6)
    const loaded = await signingKeys.load()
    expect(loaded.map(({ kid, retiredAtMs, sealedPrivate }) => [kid, retiredAtMs, [...sealedPrivate]])).toEqual([
      ['k1', 5, [9, 8]],
      ['k2', null, [9, 8]],
    ])
    await signingKeys.remove('k1')
    expect((await signingKeys.load()).map(({ kid }) => kid)).toEqual(['k2'])
  })

  it('seal for one purpose alone, and derive the same secret at every start', async () => {
    const where = place()
    const first = await where.open()
    const sealed = first.masterKey.seal('one', Buffer.from('canary'))
    const derived = first.masterKey.derive('nonces')
    await first.close()
    const { masterKey } = await opened(where)
    expect(Buffer.from(masterKey.open('one', sealed)).toString()).toBe('canary')
    expect(Buffer.from(sealed).includes('canary')).toBe(false)
    expect(() => masterKey.open('other', sealed)).toThrow('master key')
    expect(masterKey.derive('nonces')).toEqual(derived)
    expect(masterKey.derive('others')).not.toEqual(derived)
  })
})
