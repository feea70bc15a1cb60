import type { CredentialStore, StoredKey, StoredPrincipal } from '../auth/index.ts'
import { McpworksError, type Scope } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Principals and API keys in the state database. */
export class SqlCredentialStore implements CredentialStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<{ principals: StoredPrincipal[]; keys: StoredKey[] }> {
    return withStateErrors(async () => {
      const principals = await this.#database.selectFrom('principals').selectAll().orderBy('id').execute()
      const keys = await this.#database.selectFrom('api_keys').selectAll().orderBy('id').execute()
      return {
        principals: principals.map((row) => ({
          type: row.type,
          id: row.id,
          name: row.name,
          namespace: row.namespace,
          groups: JSON.parse(row.groups_json) as string[],
          createdAtMs: row.created_at_ms,
          revokedAtMs: row.revoked_at_ms,
        })),
        keys: keys.map((row) => ({
          id: row.id,
          principalId: row.principal_id,
          label: row.label,
          secretSha256: row.secret_sha256,
          scopes: JSON.parse(row.scopes_json) as Scope[],
          createdAtMs: row.created_at_ms,
          expiresAtMs: row.expires_at_ms,
          revokedAtMs: row.revoked_at_ms,
        })),
      }
    })
  }

  insertPrincipal(principal: StoredPrincipal): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('principals')
        .values({
          id: principal.id,
          type: principal.type,
          name: principal.name,
          namespace: principal.namespace,
          groups_json: JSON.stringify(principal.groups),
          created_at_ms: principal.createdAtMs,
          revoked_at_ms: principal.revokedAtMs,
        })
        .execute()
    })
  }

  updatePrincipal(id: string, change: { groups?: readonly string[]; revokedAtMs?: number }): Promise<void> {
    const { groups, revokedAtMs } = change
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('principals')
        .set((column) => ({
          id,
          ...(groups === undefined ? {} : { groups_json: JSON.stringify(groups) }),
          // The first revocation stands: a later one must not move it.
          ...(revokedAtMs === undefined
            ? {}
            : { revoked_at_ms: column.fn.coalesce('revoked_at_ms', column.val(revokedAtMs)) }),
        }))
        .where('id', '=', id)
        .executeTakeFirst()
      requireOne(result.numUpdatedRows)
    })
  }

  insertKey(key: StoredKey): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('api_keys')
        .values({
          id: key.id,
          principal_id: key.principalId,
          label: key.label,
          secret_sha256: key.secretSha256,
          scopes_json: JSON.stringify(key.scopes),
          created_at_ms: key.createdAtMs,
          expires_at_ms: key.expiresAtMs,
          revoked_at_ms: key.revokedAtMs,
        })
        .execute()
    })
  }

  revokeKey(id: string, atMs: number): Promise<void> {
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('api_keys')
        .set((column) => ({ revoked_at_ms: column.fn.coalesce('revoked_at_ms', column.val(atMs)) }))
        .where('id', '=', id)
        .executeTakeFirst()
      requireOne(result.numUpdatedRows)
    })
  }
}

function requireOne(changed: bigint): void {
  if (changed !== 1n) throw new McpworksError('unknown_object')
}
