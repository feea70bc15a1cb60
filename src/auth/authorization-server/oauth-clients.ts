import type { Clock, JsonObject } from '../../kernel/index.ts'
import { randomId } from '../random-id.ts'
import type { OAuthClient } from './oauth-client.ts'
import type { OAuthClientStore, StoredOAuthClient } from './oauth-client-store.ts'

/** Clients that an operator added or that registered themselves, in memory and written through. */
export interface OAuthClients {
  find(id: string): OAuthClient | null
  list(): StoredOAuthClient[]
  /** Gives it an id. Its metadata must have been checked. */
  add(client: Omit<StoredOAuthClient, 'id' | 'createdAtMs'>): Promise<StoredOAuthClient>
  /** @throws McpworksError `unknown_object` */
  remove(id: string): Promise<void>
}

/** Loads them from the store. Expired ones are as good as gone. */
export async function createOAuthClients(store: OAuthClientStore, clock: Clock): Promise<OAuthClients> {
  const clients = new Map((await store.load()).map((client) => [client.id, client]))
  const isGood = ({ expiresAtMs }: StoredOAuthClient): boolean => expiresAtMs === null || expiresAtMs > clock.nowMs()
  return {
    find(id) {
      const client = clients.get(id)
      return client === undefined || !isGood(client) ? null : asClient(client)
    },
    list: () => [...clients.values()].filter(isGood),
    async add(described) {
      const client = { ...described, id: `app-${randomId()}`, createdAtMs: clock.nowMs() }
      for (const former of clients.values()) {
        if (isGood(former)) continue
        await store.remove(former.id)
        clients.delete(former.id)
      }
      await store.insert(client)
      clients.set(client.id, client)
      return client
    },
    async remove(id) {
      await store.remove(id)
      clients.delete(id)
    },
  }
}

function asClient({ id, name, source, metadata }: StoredOAuthClient): OAuthClient {
  return { id, name, source, host: null, metadata: publicClientMetadata(id, name, metadata) }
}

/**
 * Metadata of a client that acts for people, for oidc-provider. `native` lets the port of a loopback redirect be any
 * (RFC 8252 section 7.3) and changes nothing else: every redirect URI was checked by our own, stricter rule.
 */
export function publicClientMetadata(id: string, name: string, described: JsonObject): JsonObject {
  return {
    client_name: name,
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    ...described,
    client_id: id,
    application_type: 'native',
    response_types: ['code'],
    response_modes: ['query'],
  }
}
