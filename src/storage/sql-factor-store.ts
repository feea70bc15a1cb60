import type { FactorStore, LinkedAccount, StoredLink, StoredPasskey, StoredPassword } from '../auth/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** What people sign in with, in the state database. */
export class SqlFactorStore implements FactorStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<{ passkeys: StoredPasskey[]; passwords: StoredPassword[]; accounts: LinkedAccount[] }> {
    return withStateErrors(async () => {
      const passkeys = await this.#database.selectFrom('passkeys').selectAll().orderBy('id').execute()
      const passwords = await this.#database.selectFrom('passwords').selectAll().orderBy('user_id').execute()
      const accounts = await this.#database
        .selectFrom('linked_accounts')
        .selectAll()
        .orderBy('issuer')
        .orderBy('subject')
        .execute()
      return {
        passkeys: passkeys.map((row) => ({
          id: row.id,
          userId: row.user_id,
          label: row.label,
          publicKey: Uint8Array.from(row.public_key),
          counter: row.counter,
          relyingParty: row.relying_party,
          transports: JSON.parse(row.transports_json) as string[],
          backedUp: row.backed_up === 1,
          createdAtMs: row.created_at_ms,
          lastUsedAtMs: row.last_used_at_ms,
        })),
        passwords: passwords.map((row) => ({ userId: row.user_id, hash: row.hash, setAtMs: row.set_at_ms })),
        accounts: accounts.map((row) => ({
          issuer: row.issuer,
          subject: row.subject,
          userId: row.user_id,
          rolesFollow: row.roles_follow === 1,
          linkedAtMs: row.linked_at_ms,
        })),
      }
    })
  }

  insertPasskey(passkey: StoredPasskey): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('passkeys')
        .values({
          id: passkey.id,
          user_id: passkey.userId,
          label: passkey.label,
          public_key: passkey.publicKey,
          counter: passkey.counter,
          relying_party: passkey.relyingParty,
          transports_json: JSON.stringify(passkey.transports),
          backed_up: passkey.backedUp ? 1 : 0,
          created_at_ms: passkey.createdAtMs,
          last_used_at_ms: passkey.lastUsedAtMs,
        })
        .execute()
    })
  }

  usePasskey(id: string, use: Pick<StoredPasskey, 'counter' | 'backedUp'> & { atMs: number }): Promise<boolean> {
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('passkeys')
        .set({ counter: use.counter, backed_up: use.backedUp ? 1 : 0, last_used_at_ms: use.atMs })
        .where('id', '=', id)
        .where((where) => (use.counter === 0 ? where('counter', '=', 0) : where('counter', '<', use.counter)))
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    })
  }

  removePasskey(id: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('passkeys').where('id', '=', id).execute()
    })
  }

  setPassword({ userId, hash, setAtMs }: StoredPassword): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('passwords')
        .values({ user_id: userId, hash, set_at_ms: setAtMs })
        .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ hash, set_at_ms: setAtMs }))
        .execute()
    })
  }

  removePassword(userId: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('passwords').where('user_id', '=', userId).execute()
    })
  }

  linkAccount(account: LinkedAccount): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('linked_accounts')
        .values({
          issuer: account.issuer,
          subject: account.subject,
          user_id: account.userId,
          roles_follow: account.rolesFollow ? 1 : 0,
          linked_at_ms: account.linkedAtMs,
        })
        .execute()
    })
  }

  insertLink(link: StoredLink): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('one_time_links')
        .values({
          id: link.id,
          token_sha256: link.tokenSha256,
          user_id: link.userId,
          created_at_ms: link.createdAtMs,
          expires_at_ms: link.expiresAtMs,
          used_at_ms: link.usedAtMs,
        })
        .execute()
    })
  }

  findLink(tokenSha256: string): Promise<StoredLink | null> {
    return withStateErrors(async () => {
      const row = await this.#database
        .selectFrom('one_time_links')
        .selectAll()
        .where('token_sha256', '=', tokenSha256)
        .executeTakeFirst()
      if (row === undefined) return null
      return {
        id: row.id,
        tokenSha256: row.token_sha256,
        userId: row.user_id,
        createdAtMs: row.created_at_ms,
        expiresAtMs: row.expires_at_ms,
        usedAtMs: row.used_at_ms,
      }
    })
  }

  useLink(id: string, atMs: number): Promise<boolean> {
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('one_time_links')
        .set({ used_at_ms: atMs })
        .where('id', '=', id)
        .where('used_at_ms', 'is', null)
        .where('expires_at_ms', '>', atMs)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    })
  }

  voidLinks(userId: string | null, atMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .updateTable('one_time_links')
        .set({ used_at_ms: atMs })
        .where('user_id', userId === null ? 'is' : '=', userId)
        .where('used_at_ms', 'is', null)
        .execute()
    })
  }
}
