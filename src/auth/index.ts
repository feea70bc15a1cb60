export { createApiKeyAuthenticator } from './api-key-authenticator.ts'
export type { AuthenticationResult, Authenticator, Presented } from './authenticator.ts'
export type { CredentialStore, StoredKey, StoredPrincipal } from './credential-store.ts'
export { createIdentityRegistry, type IdentityRegistry, type KeyRequest, type KeySummary } from './identity-registry.ts'
