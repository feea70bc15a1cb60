import { createTurns, McpworksError, type Clock } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { FactorStore, LinkedAccount, StoredPasskey } from './factor-store.ts'

/** What a user can sign in with. */
export interface UserFactors {
  readonly passkeys: readonly StoredPasskey[]
  readonly hasPassword: boolean
  readonly accounts: readonly LinkedAccount[]
}

/** What people sign in with, held in memory and written through; every change is recorded before it counts. */
export interface Factors {
  of(userId: string): UserFactors
  /** Whether the user has anything to sign in with. */
  canSignIn(userId: string): boolean
  findPasskey(id: string): StoredPasskey | null
  /** PHC string; `null` where the user has no password. */
  passwordHash(userId: string): string | null
  findAccount(issuer: string, subject: string): LinkedAccount | null
  /** @throws McpworksError `already_exists`, `invalid_request` beyond 20 of one user, `audit_unavailable` */
  addPasskey(passkey: StoredPasskey, address: string): Promise<void>
  /** Keeps the counter of a use; false where it is not above the last one, so that somebody has a copy. */
  usePasskey(id: string, use: Pick<StoredPasskey, 'counter' | 'backedUp'>): Promise<boolean>
  /** @throws McpworksError `unknown_object`, `invalid_request` for the last thing that the user can sign in with */
  removePasskey(userId: string, id: string, address: string): Promise<void>
  setPassword(userId: string, hash: string, address: string): Promise<void>
  /** @throws McpworksError `invalid_request` for the last thing that the user can sign in with */
  removePassword(userId: string, address: string): Promise<void>
  /** @throws McpworksError `already_exists` */
  linkAccount(account: Omit<LinkedAccount, 'linkedAtMs'>, address: string): Promise<void>
}

/** What factors stand on. */
export interface FactorPorts {
  readonly store: FactorStore
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
}

const maxPasskeys = 20

/** Loads everything from the store and answers from memory afterwards. */
export async function createFactors({ store, events, clock }: FactorPorts): Promise<Factors> {
  const loaded = await store.load()
  const passkeys = new Map(loaded.passkeys.map((passkey) => [passkey.id, passkey]))
  const passwords = new Map(loaded.passwords.map(({ userId, hash }) => [userId, hash]))
  const accounts = new Map(loaded.accounts.map((account) => [accountKey(account.issuer, account.subject), account]))
  // Two removals at once would each see the other's factor still there.
  const turns = createTurns()

  const of = (userId: string): UserFactors => ({
    passkeys: [...passkeys.values()].filter((passkey) => passkey.userId === userId),
    hasPassword: passwords.has(userId),
    accounts: [...accounts.values()].filter((account) => account.userId === userId),
  })
  const count = (userId: string): number => {
    const { passkeys: own, hasPassword, accounts: linked } = of(userId)
    return own.length + linked.length + (hasPassword ? 1 : 0)
  }

  const record = (
    type: 'factor-added' | 'factor-removed',
    userId: string,
    credentialId: string | null,
    address: string,
    facts: { factor: string; issuer?: string },
  ): Promise<void> => events.record({ type, namespace: null, principalId: userId, credentialId, address, facts })

  function refuseLast(userId: string): void {
    if (count(userId) > 1) return
    throw new McpworksError('invalid_request', {
      message: 'That is the last thing you can sign in with. Add another one first.',
    })
  }

  return {
    of,
    canSignIn: (userId) => count(userId) > 0,
    findPasskey: (id) => passkeys.get(id) ?? null,
    passwordHash: (userId) => passwords.get(userId) ?? null,
    findAccount: (issuer, subject) => accounts.get(accountKey(issuer, subject)) ?? null,
    addPasskey: (passkey, address) =>
      turns(passkey.userId, async () => {
        if (of(passkey.userId).passkeys.length >= maxPasskeys)
          throw new McpworksError('invalid_request', {
            message: `${maxPasskeys} passkeys are enough. Remove one first.`,
          })
        if (passkeys.has(passkey.id)) throw new McpworksError('already_exists')
        await record('factor-added', passkey.userId, passkey.id, address, { factor: 'passkey' })
        await store.insertPasskey(passkey)
        passkeys.set(passkey.id, passkey)
      }),
    async usePasskey(id, use) {
      const atMs = clock.nowMs()
      const isNew = await store.usePasskey(id, { ...use, atMs })
      const passkey = passkeys.get(id)
      if (isNew && passkey !== undefined) passkeys.set(id, { ...passkey, ...use, lastUsedAtMs: atMs })
      return isNew && passkey !== undefined
    },
    removePasskey: (userId, id, address) =>
      turns(userId, async () => {
        if (passkeys.get(id)?.userId !== userId) throw new McpworksError('unknown_object')
        refuseLast(userId)
        await record('factor-removed', userId, id, address, { factor: 'passkey' })
        await store.removePasskey(id)
        passkeys.delete(id)
      }),
    setPassword: (userId, hash, address) =>
      turns(userId, async () => {
        await record('factor-added', userId, null, address, { factor: 'password' })
        await store.setPassword({ userId, hash, setAtMs: clock.nowMs() })
        passwords.set(userId, hash)
      }),
    removePassword: (userId, address) =>
      turns(userId, async () => {
        if (!passwords.has(userId)) throw new McpworksError('unknown_object')
        refuseLast(userId)
        await record('factor-removed', userId, null, address, { factor: 'password' })
        await store.removePassword(userId)
        passwords.delete(userId)
      }),
    linkAccount: (account, address) =>
      turns(account.userId, async () => {
        const linked = { ...account, linkedAtMs: clock.nowMs() }
        const key = accountKey(account.issuer, account.subject)
        if (accounts.has(key)) throw new McpworksError('already_exists')
        await record('factor-added', account.userId, null, address, { factor: 'oidc', issuer: account.issuer })
        await store.linkAccount(linked)
        accounts.set(key, linked)
      }),
  }
}

function accountKey(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject])
}
