import type { JsonObject } from '../../kernel/index.ts'

/** An OAuth client that acts for people, as stored. Clients of agents themselves are credentials of the registry. */
export interface StoredOAuthClient {
  /** `client_id` (RFC 6749 section 2.2). Public. */
  readonly id: string
  /** `operator`: added by a command. `registration`: it registered itself (RFC 7591). */
  readonly source: 'operator' | 'registration'
  readonly name: string
  /** Redirect URIs and grant types, checked. No secret: such clients have none here. */
  readonly metadata: JsonObject
  readonly createdAtMs: number
  /** Principal id, or the address that registered it. */
  readonly createdBy: string
  readonly expiresAtMs: number | null
}

/** Where those clients are kept. Every write is durable when its promise resolves. */
export interface OAuthClientStore {
  load(): Promise<StoredOAuthClient[]>
  /** @throws McpworksError `already_exists` */
  insert(client: StoredOAuthClient): Promise<void>
  /** @throws McpworksError `unknown_object` */
  remove(id: string): Promise<void>
}
