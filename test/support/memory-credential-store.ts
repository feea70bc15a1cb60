import type { CredentialStore, StoredCredential, StoredKey, StoredPrincipal } from '../../src/auth/index.ts'

/** Principals and credentials that last as long as the test. */
export function createMemoryCredentialStore(): CredentialStore {
  const principals = new Map<string, StoredPrincipal>()
  const keys = new Map<string, StoredKey>()
  const credentials = new Map<string, StoredCredential>()
  return {
    load: async () => ({
      principals: [...principals.values()],
      keys: [...keys.values()],
      credentials: [...credentials.values()],
    }),
    insertPrincipal: async (principal) => void principals.set(principal.id, principal),
    updatePrincipal: async (id, change) =>
      void principals.set(id, { ...(principals.get(id) as StoredPrincipal), ...change }),
    insertKey: async (key) => void keys.set(key.id, key),
    revokeKey: async (id, atMs) => void keys.set(id, { ...(keys.get(id) as StoredKey), revokedAtMs: atMs }),
    insertCredential: async (credential) => void credentials.set(credential.id, credential),
    revokeCredential: async (id, atMs) =>
      void credentials.set(id, { ...(credentials.get(id) as StoredCredential), revokedAtMs: atMs }),
  }
}
