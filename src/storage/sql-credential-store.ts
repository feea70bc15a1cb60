import type { CredentialStore, PrincipalChange, StoredCredential, StoredKey, StoredPrincipal } from '../auth/index.ts'
import { McpworksError, type JsonObject, type Scope } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Principals and API keys in the state database. */
export class SqlCredentialStore implements CredentialStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  load(): Promise<{ principals: StoredPrincipal[]; keys: StoredKey[]; credentials: StoredCredential[] }> {
    return withStateErrors(async () => {
      const principals = await this.#database.selectFrom('principals').selectAll().orderBy('id').execute()
      const keys = await this.#database.selectFrom('api_keys').selectAll().orderBy('id').execute()
      const credentials = await this.#database.selectFrom('credentials').selectAll().orderBy('id').execute()
      return {
        credentials: credentials.map((row) => ({
          id: row.id,
          kind: row.kind,
          principalId: row.principal_id,
          label: row.label,
          scopes: JSON.parse(row.scopes_json) as Scope[],
          details: JSON.parse(row.details_json) as JsonObject,
          createdAtMs: row.created_at_ms,
          expiresAtMs: row.expires_at_ms,
          revokedAtMs: row.revoked_at_ms,
        })),
        principals: principals.map((row) => ({
          type: row.type,
          id: row.id,
          name: row.name,
          namespace: row.namespace,
          groups: JSON.parse(row.groups_json) as string[],
          ownerId: row.owner_id,
          disabledAtMs: row.disabled_at_ms,
          senderConstrainedOnly: row.sender_constrained_only === 1,
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
          owner_id: principal.ownerId,
          disabled_at_ms: principal.disabledAtMs,
          sender_constrained_only: principal.senderConstrainedOnly ? 1 : 0,
          created_at_ms: principal.createdAtMs,
          revoked_at_ms: principal.revokedAtMs,
        })
        .execute()
    })
  }

  updatePrincipal(id: string, change: PrincipalChange): Promise<void> {
    const { groups, ownerId, disabledAtMs, senderConstrainedOnly, revokedAtMs } = change
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('principals')
        .set((column) => ({
          id,
          ...(groups === undefined ? {} : { groups_json: JSON.stringify(groups) }),
          ...(ownerId === undefined ? {} : { owner_id: ownerId }),
          ...(disabledAtMs === undefined ? {} : { disabled_at_ms: disabledAtMs }),
          ...(senderConstrainedOnly === undefined ? {} : { sender_constrained_only: senderConstrainedOnly ? 1 : 0 }),
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

  insertCredential(credential: StoredCredential): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('credentials')
        .values({
          id: credential.id,
          kind: credential.kind,
          principal_id: credential.principalId,
          label: credential.label,
          scopes_json: JSON.stringify(credential.scopes),
          details_json: JSON.stringify(credential.details),
          created_at_ms: credential.createdAtMs,
          expires_at_ms: credential.expiresAtMs,
          revoked_at_ms: credential.revokedAtMs,
        })
        .execute()
    })
  }

  revokeCredential(id: string, atMs: number): Promise<void> {
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('credentials')
        .set((column) => ({ revoked_at_ms: column.fn.coalesce('revoked_at_ms', column.val(atMs)) }))
        .where('id', '=', id)
        .executeTakeFirst()
      requireOne(result.numUpdatedRows)
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
