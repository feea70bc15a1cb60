export type { AuthenticationResult, Authenticator, Presented } from './authenticator.ts'
export type { CredentialStore, StoredKey, StoredPrincipal } from './credential-store.ts'
