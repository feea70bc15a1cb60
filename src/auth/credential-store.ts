import type { JsonObject, Scope } from '../kernel/index.ts'

/** A principal as stored. Names of revoked principals are never given out again. */
export interface StoredPrincipal {
  readonly type: 'agent' | 'user'
  readonly id: string
  readonly name: string
  readonly namespace: string | null
  readonly groups: readonly string[]
  /** The user who answers for an agent; `null` where nobody was named, and for users. */
  readonly ownerId: string | null
  /** Since when every credential is refused until the principal is enabled again; `null` while it is enabled. */
  readonly disabledAtMs: number | null
  /** Only credentials bound to a key that the caller proves to hold are taken (DPoP, mTLS). */
  readonly senderConstrainedOnly: boolean
  readonly createdAtMs: number
  readonly revokedAtMs: number | null
}

/** What of a principal can change. */
export type PrincipalChange = Partial<
  Pick<StoredPrincipal, 'groups' | 'ownerId' | 'disabledAtMs' | 'senderConstrainedOnly' | 'revokedAtMs'>
>

/** An API key as stored: the SHA-256 of its 256-bit secret, never the secret. */
export interface StoredKey {
  readonly id: string
  readonly principalId: string
  readonly label: string
  /** 64 lower-case hex digits. */
  readonly secretSha256: string
  readonly scopes: readonly Scope[]
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
}

/**
 * What a principal can enter with besides API keys:
 * - `client`: an OAuth client of its own (client credentials grant);
 * - `grant`: what a person consented to for a client that acts as this agent;
 * - `binding`: tokens or assertions of a trusted issuer whose claims match.
 */
export type CredentialKind = 'client' | 'grant' | 'binding'

/** A credential other than an API key, as stored. */
export interface StoredCredential {
  /** 12 of a-z and 0-9, like that of a key. */
  readonly id: string
  readonly kind: CredentialKind
  readonly principalId: string
  readonly label: string
  readonly scopes: readonly Scope[]
  /** What its kind needs. Secrets only as SHA-256; never shown in lists. */
  readonly details: JsonObject
  readonly createdAtMs: number
  readonly expiresAtMs: number | null
  readonly revokedAtMs: number | null
}

/** Where principals and credentials are kept. Every write is durable when its promise resolves. */
export interface CredentialStore {
  load(): Promise<{ principals: StoredPrincipal[]; keys: StoredKey[]; credentials: StoredCredential[] }>
  /** @throws McpworksError `already_exists` where the id was ever used. */
  insertPrincipal(principal: StoredPrincipal): Promise<void>
  /** A first revocation stands. @throws McpworksError `unknown_object` */
  updatePrincipal(id: string, change: PrincipalChange): Promise<void>
  insertKey(key: StoredKey): Promise<void>
  revokeKey(id: string, atMs: number): Promise<void>
  insertCredential(credential: StoredCredential): Promise<void>
  revokeCredential(id: string, atMs: number): Promise<void>
}
