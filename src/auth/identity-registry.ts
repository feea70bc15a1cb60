import type { Principal, Scope } from '../kernel/index.ts'
import type {
  CredentialKind,
  PrincipalChange,
  StoredCredential,
  StoredKey,
  StoredPrincipal,
} from './credential-store.ts'

/** What the registry tells of a key. Never the secret or its hash. */
export type KeySummary = Omit<StoredKey, 'secretSha256'>

/** What a new key should be. */
export interface KeyRequest {
  readonly label: string
  readonly scopes: readonly Scope[]
  readonly expiresAtMs: number | null
}

/** A principal and one of its keys, both good at this moment. */
export interface ActiveKey {
  readonly key: StoredKey
  readonly principal: StoredPrincipal
}

/** What a new credential should be. */
export interface CredentialRequest {
  readonly kind: CredentialKind
  readonly label: string
  readonly scopes: readonly Scope[]
  readonly expiresAtMs: number | null
  readonly details: StoredCredential['details']
}

/** A principal and one of its credentials that is no key, both good at this moment. */
export interface ActiveCredential {
  readonly credential: StoredCredential
  readonly principal: StoredPrincipal
  readonly scopes: readonly Scope[]
}

/**
 * Principals and credentials, held in memory and written through to the store before any change takes effect,
 * so that a revocation counts from the next request and survives a crash. Trusts that nobody else writes the store.
 */
export interface IdentityRegistry {
  /** The key and its principal if neither is revoked or expired; `null` otherwise. Does not check the secret. */
  findActive(keyId: string): ActiveKey | null
  /** The same for a credential that is no key. Does not check what it holds. */
  findActiveCredential(credentialId: string): ActiveCredential | null
  /** The credential whether it is good or not. Not for letting anybody in. */
  findCredential(credentialId: string): StoredCredential | null
  /** Every credential of a kind that is good at this moment, with its principal. */
  listActiveCredentials(kind: CredentialKind): ActiveCredential[]
  findPrincipal(id: string): StoredPrincipal | null
  /** The principal if it is neither revoked nor disabled and its namespace is open; `null` otherwise. */
  findActivePrincipal(id: string): StoredPrincipal | null
  /**
   * Whether the principal or the credential was revoked or disabled, the person of a consent can act for the agent no
   * more, or the principal's namespace was closed. Unlike
   * `findActive` this tells of what somebody did: that a credential has expired does not count, and neither does one
   * that is not known here, such as a session.
   */
  isWithdrawn(principalId: string, credentialId: string): boolean
  /** Calls back after each change by which `isWithdrawn` may have become true. Gives what ends that. */
  onWithdrawal(listener: () => void): () => void
  /** What kind of credential has the id, good or not; `null` where there never was one. */
  kindOf(credentialId: string): 'api-key' | CredentialKind | null
  /** Whose credential it is, good or not. */
  holderOf(credentialId: string): StoredPrincipal | null
  /** A stored principal as policies and records see it. */
  describe(principal: StoredPrincipal): Principal
  listAgents(namespace: string): StoredPrincipal[]
  /** Agents of every namespace, revoked ones too. */
  listAllAgents(): StoredPrincipal[]
  listUsers(): StoredPrincipal[]
  listKeys(principalId: string): KeySummary[]
  listCredentials(principalId: string): StoredCredential[]
  /** @throws McpworksError `name_invalid`, `already_exists` (also where a revoked agent had the name). */
  addAgent(
    namespace: string,
    name: string,
    groups: readonly string[],
    more?: Partial<Pick<StoredPrincipal, 'ownerId' | 'senderConstrainedOnly'>>,
  ): Promise<StoredPrincipal>
  /** @throws McpworksError `unknown_object`. */
  setGroups(principalId: string, groups: readonly string[]): Promise<void>
  /** Changes what is named and nothing else. Counts from the next request on. @throws McpworksError `unknown_object`. */
  update(principalId: string, change: Omit<PrincipalChange, 'revokedAtMs'>): Promise<StoredPrincipal>
  /** Revokes the agent and with it every key. @throws McpworksError `unknown_object`. */
  revokePrincipal(id: string): Promise<void>
  addUser(name: string, groups: readonly string[]): Promise<StoredPrincipal>
  /** The answer's `text` is the only copy of the secret. @throws McpworksError `unknown_object`. */
  createKey(principalId: string, request: KeyRequest): Promise<{ text: string; key: KeySummary }>
  /** @throws McpworksError `unknown_object` where the namespace has no such key. */
  revokeKey(namespace: string | null, keyId: string): Promise<void>
  /** @throws McpworksError `unknown_object`. */
  addCredential(principalId: string, request: CredentialRequest): Promise<StoredCredential>
  /** @throws McpworksError `unknown_object` where the namespace has no such credential. */
  revokeCredential(namespace: string | null, credentialId: string): Promise<void>
}
