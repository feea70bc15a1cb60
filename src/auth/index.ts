export type { CredentialStore, StoredKey, StoredPrincipal } from './credential-store.ts'
