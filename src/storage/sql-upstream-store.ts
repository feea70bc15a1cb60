import type {
  SecretChange,
  SecretName,
  StoredDataKey,
  StoredSecret,
  StoredUpstream,
  UpstreamStore,
} from '../auth/index.ts'
import { withStateErrors, type StateDatabase } from './state-database.ts'
import type { StateTables } from './state-tables.ts'

/** Upstream servers, sealed secrets and wrapped data keys in the state database. */
export class SqlUpstreamStore implements UpstreamStore {
  readonly #database: StateDatabase

  constructor(database: StateDatabase) {
    this.#database = database
  }

  listServers(namespace: string): Promise<StoredUpstream[]> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('upstream_servers').selectAll().where('namespace', '=', namespace)
      return (await query.orderBy('name').execute()).map(serverOf)
    })
  }

  findServer(namespace: string, name: string): Promise<StoredUpstream | null> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('upstream_servers').selectAll().where('namespace', '=', namespace)
      const row = await query.where('name', '=', name).executeTakeFirst()
      return row === undefined ? null : serverOf(row)
    })
  }

  insertServer(server: StoredUpstream): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('upstream_servers')
        .values({
          namespace: server.namespace,
          name: server.name,
          url: server.url,
          method: server.method,
          owner: server.owner,
          issuer: server.issuer,
          client_id: server.clientId,
          scopes_json: JSON.stringify(server.scopes),
          header: server.header,
          prefix: server.prefix,
          created_at_ms: server.createdAtMs,
          created_by: server.createdBy,
        })
        .execute()
    })
  }

  setClientId(namespace: string, name: string, clientId: string): Promise<void> {
    return withStateErrors(async () => {
      const query = this.#database.updateTable('upstream_servers').set({ client_id: clientId })
      await query.where('namespace', '=', namespace).where('name', '=', name).execute()
    })
  }

  removeServer(namespace: string, name: string): Promise<void> {
    return withStateErrors(async () => {
      // Secrets first: a server without them can be removed again, secrets without a server are found by nobody.
      const secrets = this.#database.deleteFrom('upstream_secrets').where('namespace', '=', namespace)
      await secrets.where('server', '=', name).execute()
      const servers = this.#database.deleteFrom('upstream_servers').where('namespace', '=', namespace)
      await servers.where('name', '=', name).execute()
    })
  }

  findSecret(name: SecretName): Promise<StoredSecret | null> {
    return withStateErrors(async () => {
      const row = await this.#database
        .selectFrom('upstream_secrets')
        .selectAll()
        .where((row) => row.and(keyOfSecret(name)))
        .executeTakeFirst()
      return row === undefined ? null : secretOf(row)
    })
  }

  listSecrets(namespace: string, server: string | null): Promise<StoredSecret[]> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('upstream_secrets').selectAll().where('namespace', '=', namespace)
      const chosen = server === null ? query : query.where('server', '=', server)
      const rows = await chosen.orderBy('server').orderBy('owner_id').orderBy('kind').execute()
      return rows.map(secretOf)
    })
  }

  listDue(expireBeforeMs: number, nowMs: number): Promise<StoredSecret[]> {
    return withStateErrors(async () => {
      const rows = await this.#database
        .selectFrom('upstream_secrets')
        .selectAll()
        .where('kind', '=', 'tokens')
        .where('status', '=', 'connected')
        .where('expires_at_ms', '<=', expireBeforeMs)
        .where((where) => where.or([where('retry_at_ms', 'is', null), where('retry_at_ms', '<=', nowMs)]))
        .orderBy('expires_at_ms')
        .limit(200)
        .execute()
      return rows.map(secretOf)
    })
  }

  putSecret(secret: StoredSecret, expected: number): Promise<boolean> {
    return withStateErrors(async () => {
      const values = rowOf(secret)
      if (expected === 0) {
        const insert = this.#database.insertInto('upstream_secrets').values(values)
        const { numInsertedOrUpdatedRows } = await insert
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        return numInsertedOrUpdatedRows === 1n
      }
      const update = this.#database.updateTable('upstream_secrets').set(values)
      const { numUpdatedRows } = await update
        .where((row) => row.and({ ...keyOfSecret(secret), version: expected }))
        .executeTakeFirst()
      return numUpdatedRows === 1n
    })
  }

  changeSecret(name: SecretName, version: number, change: SecretChange): Promise<boolean> {
    return withStateErrors(async () => {
      const update = this.#database.updateTable('upstream_secrets').set({
        ...(change.status === undefined ? {} : { status: change.status }),
        ...(change.refreshingSinceMs === undefined ? {} : { refreshing_since_ms: change.refreshingSinceMs }),
        ...(change.failures === undefined ? {} : { failures: change.failures }),
        ...(change.retryAtMs === undefined ? {} : { retry_at_ms: change.retryAtMs }),
      })
      const { numUpdatedRows } = await update
        .where((row) => row.and({ ...keyOfSecret(name), version }))
        .executeTakeFirst()
      return numUpdatedRows === 1n
    })
  }

  removeSecret(name: SecretName): Promise<boolean> {
    return withStateErrors(async () => {
      const { numDeletedRows } = await this.#database
        .deleteFrom('upstream_secrets')
        .where((row) => row.and(keyOfSecret(name)))
        .executeTakeFirst()
      return numDeletedRows === 1n
    })
  }

  listKeys(namespace: string): Promise<StoredDataKey[]> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('upstream_data_keys').selectAll().where('namespace', '=', namespace)
      return (await query.orderBy('epoch').execute()).map(keyOf)
    })
  }

  listAllKeys(): Promise<StoredDataKey[]> {
    return withStateErrors(async () => {
      const query = this.#database.selectFrom('upstream_data_keys').selectAll()
      return (await query.orderBy('namespace').orderBy('epoch').execute()).map(keyOf)
    })
  }

  insertKey(key: StoredDataKey): Promise<void> {
    return withStateErrors(async () => {
      await this.#database
        .insertInto('upstream_data_keys')
        .values({
          namespace: key.namespace,
          epoch: key.epoch,
          wrapping_key_id: key.wrappingKeyId,
          wrapped: key.wrapped,
          created_at_ms: key.createdAtMs,
        })
        .execute()
    })
  }

  replaceWrapping({ namespace, epoch, wrappingKeyId, wrapped }: StoredDataKey): Promise<void> {
    return withStateErrors(async () => {
      const query = this.#database.updateTable('upstream_data_keys').set({ wrapping_key_id: wrappingKeyId, wrapped })
      await query.where('namespace', '=', namespace).where('epoch', '=', epoch).execute()
    })
  }

  removeKey(namespace: string, epoch: number): Promise<void> {
    return withStateErrors(async () => {
      const key = { namespace, epoch }
      const stored = await this.#database
        .selectFrom('upstream_data_keys')
        .select('wrapped')
        .where((row) => row.and(key))
        .executeTakeFirst()
      if (stored === undefined) return
      // Overwritten first: SQLite leaves what is deleted in pages that it may not use again for long. PostgreSQL leaves
      // what is overwritten too, until it is vacuumed.
      await this.#database
        .updateTable('upstream_data_keys')
        .set({ wrapped: new Uint8Array(stored.wrapped.length) })
        .where((row) => row.and(key))
        .execute()
      await this.#database
        .deleteFrom('upstream_data_keys')
        .where((row) => row.and(key))
        .execute()
    })
  }
}

type SecretRow = StateTables['upstream_secrets']

/** The columns that name a secret, with their values. */
function keyOfSecret({ namespace, server, ownerId, kind }: SecretName) {
  return { namespace, server, owner_id: ownerId, kind }
}

function serverOf(row: StateTables['upstream_servers']): StoredUpstream {
  return {
    namespace: row.namespace,
    name: row.name,
    url: row.url,
    method: row.method,
    owner: row.owner,
    issuer: row.issuer,
    clientId: row.client_id,
    scopes: JSON.parse(row.scopes_json) as string[],
    header: row.header,
    prefix: row.prefix,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
  }
}

function secretOf(row: SecretRow): StoredSecret {
  return {
    namespace: row.namespace,
    server: row.server,
    ownerId: row.owner_id,
    kind: row.kind,
    version: row.version,
    epoch: row.epoch,
    sealed: row.sealed,
    status: row.status,
    expiresAtMs: row.expires_at_ms,
    refreshingSinceMs: row.refreshing_since_ms,
    failures: row.failures,
    retryAtMs: row.retry_at_ms,
    changedAtMs: row.changed_at_ms,
  }
}

function rowOf(secret: StoredSecret): SecretRow {
  return {
    namespace: secret.namespace,
    server: secret.server,
    owner_id: secret.ownerId,
    kind: secret.kind,
    version: secret.version,
    epoch: secret.epoch,
    sealed: secret.sealed,
    status: secret.status,
    expires_at_ms: secret.expiresAtMs,
    refreshing_since_ms: secret.refreshingSinceMs,
    failures: secret.failures,
    retry_at_ms: secret.retryAtMs,
    changed_at_ms: secret.changedAtMs,
  }
}

function keyOf(row: StateTables['upstream_data_keys']): StoredDataKey {
  return {
    namespace: row.namespace,
    epoch: row.epoch,
    wrappingKeyId: row.wrapping_key_id,
    wrapped: row.wrapped,
    createdAtMs: row.created_at_ms,
  }
}
