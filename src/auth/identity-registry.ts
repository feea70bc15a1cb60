import { isName, McpworksError, type Clock, type Principal, type Scope } from '../kernel/index.ts'
import { formatApiKey, generateApiKey, hashSecret } from './api-key.ts'
import type {
  CredentialKind,
  CredentialStore,
  PrincipalChange,
  StoredCredential,
  StoredKey,
  StoredPrincipal,
} from './credential-store.ts'
import type { NamespaceClosures } from './namespace-closures.ts'
import { randomId } from './random-id.ts'

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

/** Without closures every namespace is open. */
const neverClosed: Pick<NamespaceClosures, 'isClosed' | 'onClose'> = { isClosed: () => false, onClose: () => () => {} }

/** Loads everything from the store and answers from memory afterwards. */
export async function createIdentityRegistry(
  store: CredentialStore,
  clock: Clock,
  closures: Pick<NamespaceClosures, 'isClosed' | 'onClose'> = neverClosed,
): Promise<IdentityRegistry> {
  const loaded = await store.load()
  const principals = new Map(loaded.principals.map((principal) => [principal.id, principal]))
  const keys = new Map(loaded.keys.map((key) => [key.id, key]))
  const credentials = new Map(loaded.credentials.map((credential) => [credential.id, credential]))
  const listeners = new Set<() => void>()
  const announce = (): void => {
    for (const listener of listeners) listener()
  }
  closures.onClose(announce)

  function findActivePrincipal(id: string): StoredPrincipal | null {
    const principal = principals.get(id)
    return principal === undefined || isBarred(principal) ? null : principal
  }

  function isBarred({ revokedAtMs, disabledAtMs, namespace }: StoredPrincipal): boolean {
    if (revokedAtMs !== null || disabledAtMs !== null) return true
    return namespace !== null && closures.isClosed(namespace)
  }

  function activeCredential(credential: StoredCredential): ActiveCredential | null {
    if (!isGood(credential)) return null
    const principal = findActivePrincipal(credential.principalId)
    if (principal === null || !hasItsPerson(credential, principal)) return null
    return { credential, principal, scopes: credential.scopes }
  }

  /** What a person consented to is good while the agent is that person's and the person can act. */
  function hasItsPerson({ kind, details }: StoredCredential, { ownerId }: StoredPrincipal): boolean {
    if (kind !== 'grant') return true
    return ownerId !== null && details.userId === ownerId && findActivePrincipal(ownerId)?.type === 'user'
  }

  function isGood({ revokedAtMs, expiresAtMs }: Pick<StoredKey, 'revokedAtMs' | 'expiresAtMs'>): boolean {
    return revokedAtMs === null && (expiresAtMs === null || expiresAtMs > clock.nowMs())
  }

  function mustFindActivePrincipal(id: string): StoredPrincipal {
    const principal = principals.get(id)
    if (principal === undefined || principal.revokedAtMs !== null) {
      throw new McpworksError('unknown_object', { message: `There is no ${describe(id)}.` })
    }
    return principal
  }

  /** To be called after the store has taken the change, on what is there by then: another may have come meanwhile. */
  function change(id: string, part: PrincipalChange): void {
    const now = principals.get(id)
    if (now !== undefined) principals.set(id, { ...now, ...part })
    if (part.disabledAtMs !== undefined || part.revokedAtMs !== undefined || part.ownerId !== undefined) announce()
  }

  async function insert(principal: StoredPrincipal): Promise<StoredPrincipal> {
    if (!isName(principal.name)) {
      throw new McpworksError('name_invalid', {
        message: `"${principal.name.slice(0, 60)}" cannot be a name: use 2-40 of a-z, 0-9 and hyphen, with a letter first.`,
      })
    }
    const taken = principals.get(principal.id)
    if (taken !== undefined) {
      throw new McpworksError('already_exists', {
        message:
          taken.revokedAtMs === null
            ? `There already is an ${principal.type} ${principal.id}.`
            : `${principal.id} was revoked, and its name is never used again: records of it would be mistaken for the new one's.`,
      })
    }
    await store.insertPrincipal(principal)
    principals.set(principal.id, principal)
    return principal
  }

  return {
    findActive(keyId) {
      const key = keys.get(keyId)
      if (key === undefined || !isGood(key)) return null
      const principal = findActivePrincipal(key.principalId)
      return principal === null ? null : { key, principal }
    },
    findActiveCredential(credentialId) {
      const credential = credentials.get(credentialId)
      return credential === undefined ? null : activeCredential(credential)
    },
    findCredential: (credentialId) => credentials.get(credentialId) ?? null,
    listActiveCredentials: (kind) =>
      [...credentials.values()]
        .filter((credential) => credential.kind === kind)
        .map(activeCredential)
        .filter((active) => active !== null),
    findPrincipal: (id) => principals.get(id) ?? null,
    findActivePrincipal,
    isWithdrawn(principalId, credentialId) {
      const principal = principals.get(principalId)
      if (principal === undefined || isBarred(principal)) return true
      const key = keys.get(credentialId)
      if (key !== undefined) return key.revokedAtMs !== null
      const credential = credentials.get(credentialId)
      return credential !== undefined && (credential.revokedAtMs !== null || !hasItsPerson(credential, principal))
    },
    onWithdrawal(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    kindOf: (credentialId) => (keys.has(credentialId) ? 'api-key' : (credentials.get(credentialId)?.kind ?? null)),
    holderOf(credentialId) {
      const credential = keys.get(credentialId) ?? credentials.get(credentialId)
      return credential === undefined ? null : (principals.get(credential.principalId) ?? null)
    },
    describe: ({ type, id, name, namespace, groups }) => ({ type, id, name, namespace, groups }),
    listAgents: (namespace) =>
      [...principals.values()].filter((principal) => principal.type === 'agent' && principal.namespace === namespace),
    listAllAgents: () => [...principals.values()].filter((principal) => principal.type === 'agent'),
    listUsers: () => [...principals.values()].filter((principal) => principal.type === 'user'),
    listCredentials: (principalId) =>
      [...credentials.values()].filter((credential) => credential.principalId === principalId),
    listKeys: (principalId) => [...keys.values()].filter((key) => key.principalId === principalId).map(withoutHash),
    addAgent: (namespace, name, groups, more = {}) =>
      insert({
        type: 'agent',
        id: `${namespace}/${name}`,
        name,
        namespace,
        groups: sorted(groups),
        ownerId: more.ownerId ?? null,
        disabledAtMs: null,
        senderConstrainedOnly: more.senderConstrainedOnly ?? false,
        createdAtMs: clock.nowMs(),
        revokedAtMs: null,
      }),
    addUser: (name, groups) =>
      insert({
        type: 'user',
        id: name,
        name,
        namespace: null,
        groups: sorted(groups),
        ownerId: null,
        disabledAtMs: null,
        senderConstrainedOnly: false,
        createdAtMs: clock.nowMs(),
        revokedAtMs: null,
      }),
    async setGroups(principalId, groups) {
      mustFindActivePrincipal(principalId)
      await store.updatePrincipal(principalId, { groups: sorted(groups) })
      change(principalId, { groups: sorted(groups) })
    },
    async update(principalId, part) {
      mustFindActivePrincipal(principalId)
      const changed = part.groups === undefined ? part : { ...part, groups: sorted(part.groups) }
      await store.updatePrincipal(principalId, changed)
      change(principalId, changed)
      return mustFindActivePrincipal(principalId)
    },
    async revokePrincipal(id) {
      mustFindActivePrincipal(id)
      const revokedAtMs = clock.nowMs()
      await store.updatePrincipal(id, { revokedAtMs })
      change(id, { revokedAtMs })
    },
    async createKey(principalId, request) {
      mustFindActivePrincipal(principalId)
      const generated = generateApiKey()
      const key: StoredKey = {
        id: generated.id,
        principalId,
        label: request.label,
        secretSha256: hashSecret(generated.secret),
        scopes: request.scopes,
        createdAtMs: clock.nowMs(),
        expiresAtMs: request.expiresAtMs,
        revokedAtMs: null,
      }
      await store.insertKey(key)
      keys.set(key.id, key)
      return { text: formatApiKey(generated), key: withoutHash(key) }
    },
    async revokeKey(namespace, keyId) {
      const key = keys.get(keyId)
      const owner = key === undefined ? undefined : principals.get(key.principalId)
      if (key === undefined || key.revokedAtMs !== null || owner === undefined || owner.namespace !== namespace) {
        throw new McpworksError('unknown_object', { message: `There is no key ${keyId} to revoke here.` })
      }
      const revokedAtMs = clock.nowMs()
      await store.revokeKey(keyId, revokedAtMs)
      keys.set(keyId, { ...key, revokedAtMs })
      announce()
    },
    async addCredential(principalId, { kind, label, scopes, expiresAtMs, details }) {
      mustFindActivePrincipal(principalId)
      const credential: StoredCredential = {
        id: randomId(),
        kind,
        principalId,
        label,
        scopes,
        details,
        createdAtMs: clock.nowMs(),
        expiresAtMs,
        revokedAtMs: null,
      }
      await store.insertCredential(credential)
      credentials.set(credential.id, credential)
      return credential
    },
    async revokeCredential(namespace, credentialId) {
      const credential = credentials.get(credentialId)
      const owner = credential === undefined ? undefined : principals.get(credential.principalId)
      if (credential === undefined || credential.revokedAtMs !== null || owner?.namespace !== namespace) {
        throw new McpworksError('unknown_object', {
          message: `There is no credential ${credentialId} to revoke here.`,
        })
      }
      const revokedAtMs = clock.nowMs()
      await store.revokeCredential(credentialId, revokedAtMs)
      credentials.set(credentialId, { ...credential, revokedAtMs })
      announce()
    },
  }
}

function withoutHash(key: StoredKey): KeySummary {
  const { secretSha256: _, ...summary } = key
  return summary
}

function sorted(groups: readonly string[]): string[] {
  return [...new Set(groups)].sort()
}

function describe(id: string): string {
  return id.includes('/') ? `agent ${id}` : `user ${id}`
}
