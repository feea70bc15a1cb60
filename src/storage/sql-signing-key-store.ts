import type { SigningKeyStore, StoredSigningKey } from '../auth/index.ts'
import type { JsonObject } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Signing keys in the state database. */
export class SqlSigningKeyStore implements SigningKeyStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<StoredSigningKey[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('signing_keys').selectAll().orderBy('created_at_ms').execute()
      return rows.map((row) => ({
        kid: row.kid,
        algorithm: row.algorithm,
        publicJwk: JSON.parse(row.public_jwk_json) as JsonObject,
        sealedPrivate: row.sealed_private,
        createdAtMs: row.created_at_ms,
        retiredAtMs: row.retired_at_ms,
      }))
    })
  }

  insert(key: StoredSigningKey): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('signing_keys')
        .values({
          kid: key.kid,
          algorithm: key.algorithm,
          public_jwk_json: JSON.stringify(key.publicJwk),
          sealed_private: key.sealedPrivate,
          created_at_ms: key.createdAtMs,
          retired_at_ms: key.retiredAtMs,
        })
        .execute()
    })
  }

  retire(kid: string, atMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .updateTable('signing_keys')
        .set({ retired_at_ms: atMs })
        .where('kid', '=', kid)
        .where('retired_at_ms', 'is', null)
        .execute()
    })
  }

  remove(kid: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('signing_keys').where('kid', '=', kid).execute()
    })
  }
}
