import type { SessionStore, StoredSession } from '../auth/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'

/** Sessions of people in the state database. */
export class SqlSessionStore implements SessionStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  loadActive(nowMs: number): Promise<StoredSession[]> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('sessions')
        .selectAll()
        .where('ended_at_ms', 'is', null)
        .where('expires_at_ms', '>', nowMs)
        .orderBy('id')
        .execute()
      return rows.map((row) => ({
        id: row.id,
        tokenSha256: row.token_sha256,
        userId: row.user_id,
        method: row.method,
        beganAtMs: row.began_at_ms,
        expiresAtMs: row.expires_at_ms,
        lastUsedAtMs: row.last_used_at_ms,
        endedAtMs: row.ended_at_ms,
        address: row.address,
        claimedName: row.claimed_name,
      }))
    })
  }

  insert(session: StoredSession): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('sessions')
        .values({
          id: session.id,
          token_sha256: session.tokenSha256,
          user_id: session.userId,
          method: session.method,
          began_at_ms: session.beganAtMs,
          expires_at_ms: session.expiresAtMs,
          last_used_at_ms: session.lastUsedAtMs,
          ended_at_ms: session.endedAtMs,
          address: session.address,
          claimed_name: session.claimedName,
        })
        .execute()
    })
  }

  touch(id: string, lastUsedAtMs: number): Promise<void> {
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('sessions')
        .set({ last_used_at_ms: lastUsedAtMs })
        .where('id', '=', id)
        .executeTakeFirst()
      if (result.numUpdatedRows !== 1n) throw new McpworksError('unknown_object')
    })
  }

  end(id: string, atMs: number): Promise<void> {
    return withStateErrors(async () => {
      const result = await this.#database
        .updateTable('sessions')
        .set((column) => ({ ended_at_ms: column.fn.coalesce('ended_at_ms', column.val(atMs)) }))
        .where('id', '=', id)
        .executeTakeFirst()
      if (result.numUpdatedRows !== 1n) throw new McpworksError('unknown_object')
    })
  }

  forget(beforeMs: number): Promise<void> {
    return withStateErrors(async () => {
      await this.#database.deleteFrom('sessions').where('expires_at_ms', '<', beforeMs).execute()
    })
  }
}
