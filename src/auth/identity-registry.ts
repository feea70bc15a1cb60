import { isName, McpworksError, type Clock, type Principal, type Scope } from '../kernel/index.ts'
import { formatApiKey, generateApiKey, hashSecret } from './api-key.ts'
import type { CredentialStore, StoredKey, StoredPrincipal } from './credential-store.ts'

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
  readonly principal: Principal
}

/**
 * Principals and keys, held in memory and written through to the store before any change takes effect,
 * so that a revocation counts from the next request and survives a crash.
 */
export interface IdentityRegistry {
  /** The key and its principal if neither is revoked or expired; `null` otherwise. Does not check the secret. */
  findActive(keyId: string): ActiveKey | null
  findPrincipal(id: string): StoredPrincipal | null
  listAgents(namespace: string): StoredPrincipal[]
  listKeys(principalId: string): KeySummary[]
  /** @throws McpworksError `name_invalid`, `already_exists` (also where a revoked agent had the name). */
  addAgent(namespace: string, name: string, groups: readonly string[]): Promise<StoredPrincipal>
  /** @throws McpworksError `unknown_object`. */
  setGroups(principalId: string, groups: readonly string[]): Promise<void>
  /** Revokes the agent and with it every key. @throws McpworksError `unknown_object`. */
  revokePrincipal(id: string): Promise<void>
  addUser(name: string, groups: readonly string[]): Promise<StoredPrincipal>
  /** The answer's `text` is the only copy of the secret. @throws McpworksError `unknown_object`. */
  createKey(principalId: string, request: KeyRequest): Promise<{ text: string; key: KeySummary }>
  /** @throws McpworksError `unknown_object` where the namespace has no such key. */
  revokeKey(namespace: string | null, keyId: string): Promise<void>
}

/** Loads everything from the store and answers from memory afterwards. */
export async function createIdentityRegistry(store: CredentialStore, clock: Clock): Promise<IdentityRegistry> {
  const loaded = await store.load()
  const principals = new Map(loaded.principals.map((principal) => [principal.id, principal]))
  const keys = new Map(loaded.keys.map((key) => [key.id, key]))

  function mustFindActivePrincipal(id: string): StoredPrincipal {
    const principal = principals.get(id)
    if (principal === undefined || principal.revokedAtMs !== null) {
      throw new McpworksError('unknown_object', { message: `There is no ${describe(id)}.` })
    }
    return principal
  }

  /** To be called after the store has taken the change, on what is there by then: another may have come meanwhile. */
  function change(id: string, part: Partial<Pick<StoredPrincipal, 'groups' | 'revokedAtMs'>>): void {
    const now = principals.get(id)
    if (now !== undefined) principals.set(id, { ...now, ...part })
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
      if (key === undefined || key.revokedAtMs !== null) return null
      if (key.expiresAtMs !== null && key.expiresAtMs <= clock.nowMs()) return null
      const principal = principals.get(key.principalId)
      if (principal === undefined || principal.revokedAtMs !== null) return null
      return { key, principal }
    },
    findPrincipal: (id) => principals.get(id) ?? null,
    listAgents: (namespace) =>
      [...principals.values()].filter((principal) => principal.type === 'agent' && principal.namespace === namespace),
    listKeys: (principalId) => [...keys.values()].filter((key) => key.principalId === principalId).map(withoutHash),
    addAgent: (namespace, name, groups) =>
      insert({
        type: 'agent',
        id: `${namespace}/${name}`,
        name,
        namespace,
        groups: sorted(groups),
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
        createdAtMs: clock.nowMs(),
        revokedAtMs: null,
      }),
    async setGroups(principalId, groups) {
      mustFindActivePrincipal(principalId)
      await store.updatePrincipal(principalId, { groups: sorted(groups) })
      change(principalId, { groups: sorted(groups) })
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
