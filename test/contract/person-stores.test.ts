import { describe, expect, it } from 'vitest'
import type { StoredPasskey, StoredPrincipal, StoredSession } from '../../src/auth/index.ts'
import { implementations, opened } from './implementations.ts'

const user: StoredPrincipal = {
  type: 'user',
  id: 'anna',
  name: 'anna',
  namespace: null,
  groups: ['analysts', 'staff'],
  ownerId: null,
  disabledAtMs: null,
  senderConstrainedOnly: true,
  createdAtMs: 1_780_000_000_000,
  revokedAtMs: null,
}

const session: StoredSession = {
  id: 'abcdefghijkl',
  tokenSha256: 'cd'.repeat(32),
  userId: user.id,
  method: 'passkey',
  beganAtMs: 1_780_000_000_000,
  expiresAtMs: 1_780_000_100_000,
  lastUsedAtMs: 1_780_000_000_000,
  endedAtMs: null,
  address: '127.0.0.1',
  claimedName: 'Browser/1.0',
}

describe.each(implementations)('the stores of people on $name', ({ place }) => {
  it('keep sessions until they end or are over, and forget them later', async () => {
    const where = place()
    const first = await where.open()
    await first.credentials.insertPrincipal(user)
    const others = ['other', 'third'].map((id, at) => ({ ...session, id, tokenSha256: `${at}e`.repeat(32) }))
    for (const one of [session, ...others]) await first.sessions.insert(one)
    await expect(first.sessions.insert({ ...session, id: 'again' })).rejects.toMatchObject({ code: 'already_exists' })
    await expect(first.sessions.insert({ ...session, tokenSha256: '' })).rejects.toMatchObject({
      code: 'already_exists',
    })
    await first.sessions.touch(session.id, session.beganAtMs + 5)
    await first.sessions.end('other', 7)
    await expect(first.sessions.touch('none', 1)).rejects.toMatchObject({ code: 'unknown_object' })
    await expect(first.sessions.end('none', 1)).rejects.toMatchObject({ code: 'unknown_object' })
    await first.close()
    const { sessions } = await opened(where)
    const touched = { ...session, lastUsedAtMs: session.beganAtMs + 5 }
    expect(await sessions.loadActive(session.beganAtMs)).toEqual([touched, others[1]])
    expect(await sessions.loadActive(session.expiresAtMs)).toEqual([])
    await sessions.forget(session.expiresAtMs + 1)
    expect(await sessions.loadActive(session.beganAtMs)).toEqual([])
    await sessions.insert(session)
  })

  it('keep passkeys, passwords and linked accounts, and count the uses of a passkey upwards only', async () => {
    const where = place()
    const first = await where.open()
    await first.credentials.insertPrincipal(user)
    const passkey: StoredPasskey = {
      id: 'cred-1',
      userId: user.id,
      label: 'laptop',
      publicKey: Uint8Array.of(1, 2, 3),
      counter: 4,
      relyingParty: 'localhost',
      transports: ['internal'],
      backedUp: false,
      createdAtMs: 1,
      lastUsedAtMs: null,
    }
    await first.factors.insertPasskey(passkey)
    await expect(first.factors.insertPasskey(passkey)).rejects.toMatchObject({ code: 'already_exists' })
    const use = (counter: number) => first.factors.usePasskey('cred-1', { counter, backedUp: true, atMs: 9 })
    expect(await Promise.all([use(5), use(5)])).toEqual([true, false])
    expect([await use(4), await use(0), await use(6)]).toEqual([false, false, true])
    await first.factors.insertPasskey({ ...passkey, id: 'cred-2', counter: 0 })
    const uncounted = () => first.factors.usePasskey('cred-2', { counter: 0, backedUp: false, atMs: 9 })
    expect([await uncounted(), await uncounted()]).toEqual([true, true])
    await first.factors.removePasskey('cred-2')
    expect(await uncounted()).toBe(false)
    await first.factors.setPassword({ userId: user.id, hash: 'one', setAtMs: 1 })
    await first.factors.setPassword({ userId: user.id, hash: 'two', setAtMs: 2 })
    const account = { issuer: 'https://a', subject: 's', userId: user.id, rolesFollow: true, linkedAtMs: 3 }
    await first.factors.linkAccount(account)
    await expect(first.factors.linkAccount(account)).rejects.toMatchObject({ code: 'already_exists' })
    await first.close()
    const { factors } = await opened(where)
    expect(await factors.load()).toEqual({
      passkeys: [{ ...passkey, counter: 6, backedUp: true, lastUsedAtMs: 9 }],
      passwords: [{ userId: user.id, hash: 'two', setAtMs: 2 }],
      accounts: [account],
    })
    await factors.removePassword(user.id)
    expect((await factors.load()).passwords).toEqual([])
  })

  it('let a one-time link be used once, in time, and not after a newer one', async () => {
    const { factors, credentials } = await opened(place())
    await credentials.insertPrincipal(user)
    const link = (id: string, userId: string | null) => ({
      id,
      tokenSha256: id,
      userId,
      createdAtMs: 0,
      expiresAtMs: 100,
      usedAtMs: null,
    })
    for (const [id, userId] of [
      ['a', user.id],
      ['b', user.id],
      ['c', null],
      ['d', null],
    ] as const)
      await factors.insertLink(link(id, userId))
    expect((await Promise.all([1, 2, 3].map(() => factors.useLink('a', 50)))).filter((won) => won)).toHaveLength(1)
    expect(await factors.useLink('b', 100)).toBe(false)
    await factors.voidLinks(user.id, 60)
    expect(await factors.useLink('b', 70)).toBe(false)
    expect(await factors.useLink('c', 70)).toBe(true)
    await factors.voidLinks(null, 60)
    expect(await factors.useLink('d', 70)).toBe(false)
    expect(await factors.findLink('a')).toEqual({ ...link('a', user.id), usedAtMs: 50 })
    expect(await factors.findLink('none')).toBeNull()
  })

  it('refuse a session of nobody', async () => {
    const { sessions } = await opened(place())
    await expect(sessions.insert(session)).rejects.toMatchObject({ code: 'storage_unavailable' })
  })
})
