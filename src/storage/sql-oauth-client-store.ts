import type { OAuthClientStore, StoredOAuthClient } from '../auth/index.ts'
import { McpworksError, type JsonObject } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** OAuth clients in the state database. */
export class SqlOAuthClientStore implements OAuthClientStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<StoredOAuthClient[]> {
    return withStateErrors(async () => {
      const rows = await this.#database.selectFrom('oauth_clients').selectAll().orderBy('id').execute()
      return rows.map((row) => ({
        id: row.id,
        source: row.source,
        name: row.name,
        metadata: JSON.parse(row.metadata_json) as JsonObject,
        createdAtMs: row.created_at_ms,
        createdBy: row.created_by,
        expiresAtMs: row.expires_at_ms,
      }))
    })
  }

  insert(client: StoredOAuthClient): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('oauth_clients')
        .values({
          id: client.id,
          source: client.source,
          name: client.name,
          metadata_json: JSON.stringify(client.metadata),
          created_at_ms: client.createdAtMs,
          created_by: client.createdBy,
          expires_at_ms: client.expiresAtMs,
        })
        .execute()
    })
  }

  remove(id: string): Promise<void> {
    return withStateErrors(async () => {
      const result = await this.#database.deleteFrom('oauth_clients').where('id', '=', id).executeTakeFirst()
      if (result.numDeletedRows !== 1n) throw new McpworksError('unknown_object')
    })
  }
}
