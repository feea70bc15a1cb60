import { describe, expect, it } from 'vitest'
import { checkPassword } from './password-sign-in.ts'

const user = {
  type: 'user',
  id: 'anna',
  name: 'anna',
  namespace: null,
  groups: [],
  ownerId: null,
  disabledAtMs: null,
  senderConstrainedOnly: false,
  createdAtMs: 0,
  revokedAtMs: null,
} as const

/** Ports with the hash `right` for anna; tells what was hashed against what. */
function ports(waitSeconds = 0) {
  const hashed: (string | null)[] = []
  const told: string[] = []
  return {
    hashed,
    told,
    registry: {
      findActivePrincipal: (id: string) =>
        id === 'anna' ? user : id === 'demo/bot' ? { ...user, type: 'agent' } : null,
    },
    factors: { passwordHash: (id: string) => (id === 'anna' ? 'right' : null) },
    passwords: {
      hash: async () => '',
      async verify(password: string, hash: string | null) {
        hashed.push(hash)
        return password === hash
      },
    },
    limits: { begin: () => ({ waitSeconds }), succeeded: (account: string) => void told.push(account) },
  } as never as Parameters<typeof checkPassword>[3] & { hashed: (string | null)[]; told: string[] }
}

describe('a name and a password', () => {
  it.each([
    ['anna', 'wrong', 'right'],
    ['nobody', 'right', null],
    ['demo/bot', 'right', null],
    ['', 'right', null],
  ])('of %j and %j are refused after the same work and with the same words', async (name, password, hash) => {
    const given = ports()
    const result = await checkPassword(name, password, '10.0.0.1', given)
    expect(result).toMatchObject({ ok: false, reason: 'a wrong name or password', waitSeconds: 0 })
    expect(given.hashed).toEqual([hash])
    expect(given.told).toEqual([])
  })

  it('that are right let the user in', async () => {
    const given = ports()
    expect(await checkPassword('anna', 'right', '10.0.0.1', given)).toEqual({ ok: true, userId: 'anna' })
    expect(given.told).toEqual(['anna'])
  })

  it('are not looked at while there is a wait', async () => {
    const given = ports(7)
    expect(await checkPassword('anna', 'right', '10.0.0.1', given)).toMatchObject({ ok: false, waitSeconds: 7 })
    expect(given.hashed).toEqual([])
  })
})
