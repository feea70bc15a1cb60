import { sql } from 'kysely'
import type { AuthorizationStore, StoredArtifact } from '../auth/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'
import type { StateTables } from './state-tables.ts'

/** Artifacts of the authorization server in the state database. */
export class SqlAuthorizationStore implements AuthorizationStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  insert(artifact: StoredArtifact): Promise<boolean> {
    return withStateErrors(async () => {
      const result = await this.#database
        .insertInto('oauth_artifacts')
        .values(rowOf(artifact))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst()
      return result.numInsertedOrUpdatedRows === 1n
    })
  }

  put(artifact: StoredArtifact, most = Number.MAX_SAFE_INTEGER): Promise<boolean> {
    const row = rowOf(artifact)
    const { model, id_hash: idHash, grant_id, sealed, expires_at_ms } = row
    return withStateErrors(async () => {
      const updated = await this.#database
        .updateTable('oauth_artifacts')
        .set({ grant_id, sealed, expires_at_ms })
        .where('model', '=', model)
        .where('id_hash', '=', idHash)
        .executeTakeFirst()
      if (updated.numUpdatedRows === 1n) return true
      // Counted and written in one statement, so that many at once do not pass the bound together.
      const inserted = await sql`
        insert into oauth_artifacts (model, id_hash, grant_id, sealed, expires_at_ms, consumed_at_ms)
        select ${model}, ${idHash}, ${grant_id}, ${sealed}, ${expires_at_ms}, ${row.consumed_at_ms}
        where (select count(*) from oauth_artifacts where model = ${model}) < ${most}
        on conflict (model, id_hash) do update
          set grant_id = excluded.grant_id, sealed = excluded.sealed, expires_at_ms = excluded.expires_at_ms
      `.execute(this.#database)
      return inserted.numAffectedRows === 1n
    })
  }

  find(model: string, idHash: string): Promise<StoredArtifact | null> {
    return withStateErrors(async () => {
      const row = await this.#database
        .selectFrom('oauth_artifacts')
        .selectAll()
        .where('model', '=', model)
        .where('id_hash', '=', idHash)
        .executeTakeFirst()
      if (row === undefined) return null
      return {
        model: row.model,
        idHash: row.id_hash,
        grantId: row.grant_id,
        sealed: row.sealed,
        expiresAtMs: row.expires_at_ms,
        consumedAtMs: row.consumed_at_ms,
      }
    })
  }

  consume(model: string, idHash: string, atMs: number): Promise<boolean> {
    return withStateErrors(async () => {
      // One statement: the database lets one of several through, whatever they read before.
      const result = await this.#database
        .updateTable('oauth_artifacts')
        .set({ consumed_at_ms: atMs })
        .where('model', '=', model)
        .where('id_hash', '=', idHash)
        .where('consumed_at_ms', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    })
  }

  remove(model: string, idHash: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .deleteFrom('oauth_artifacts')
        .where('model', '=', model)
        .where('id_hash', '=', idHash)
        .execute()
    })
  }

  removeByGrant(grantId: string): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('oauth_artifacts').where('grant_id', '=', grantId).execute()
    })
  }

  revokeToken(tokenIdHash: string, expiresAtMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('revoked_tokens')
        .values({ token_id_hash: tokenIdHash, expires_at_ms: expiresAtMs })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }

  listRevokedTokens(): Promise<{ tokenIdHash: string; expiresAtMs: number }[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('revoked_tokens').selectAll().orderBy('token_id_hash').execute()
      return rows.map((row) => ({ tokenIdHash: row.token_id_hash, expiresAtMs: row.expires_at_ms }))
    })
  }

  sweep(nowMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('oauth_artifacts').where('expires_at_ms', '<=', nowMs).execute()
      await this.#database.deleteFrom('revoked_tokens').where('expires_at_ms', '<=', nowMs).execute()
    })
  }
}

function rowOf(artifact: StoredArtifact): StateTables['oauth_artifacts'] {
  return {
    model: artifact.model,
    id_hash: artifact.idHash,
    grant_id: artifact.grantId,
    sealed: artifact.sealed,
    expires_at_ms: artifact.expiresAtMs,
    consumed_at_ms: artifact.consumedAtMs,
  }
}
