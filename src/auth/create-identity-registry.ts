import { isName, McpworksError, type Clock } from '../kernel/index.ts'
import { formatApiKey, generateApiKey, hashSecret } from './api-key.ts'
import type {
  CredentialStore,
  PrincipalChange,
  StoredCredential,
  StoredKey,
  StoredPrincipal,
} from './credential-store.ts'
import type { ActiveCredential, IdentityRegistry, KeySummary } from './identity-registry.ts'
import type { NamespaceClosures } from './namespace-closures.ts'
import { randomId } from './random-id.ts'

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
