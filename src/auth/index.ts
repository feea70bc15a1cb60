export type { AuthorizationStore, StoredArtifact } from './authorization-server/authorization-store.ts'
export type { OAuthClientStore, StoredOAuthClient } from './authorization-server/oauth-client-store.ts'
export type { SigningAlgorithm, SigningKeyStore, StoredSigningKey } from './authorization-server/signing-key-store.ts'
export type { MasterKey } from './master-key.ts'
export type { LocalKeys } from './authorization-server/local-keys.ts'
export type {
  AuthorizationServer,
  AuthorizationServerSite,
  Consent,
  ConsentAnswer,
  ConsentQuestion,
} from './authorization-server/authorization-server.ts'
export { createAuthorizationServer } from './authorization-server/create-authorization-server.ts'
export { endpoints as authorizationEndpoints } from './authorization-server/endpoints.ts'
export type { FrontRequest } from './authorization-server/front-request.ts'
export type {
  AccessTokenOrder,
  AccessTokenOutcome,
  IssueAccessToken,
  TokenBinding,
} from './authorization-server/issue-access-token.ts'
export type { TokenGrant, TokenGrantAnswer, TokenGrantRequest } from './authorization-server/token-grant.ts'
export { generateClientSecret } from './authorization-server/client-secret.ts'
export { redirectUriProblem } from './authorization-server/redirect-uri.ts'
export { revokeGrantsOf } from './authorization-server/revoke-grants-of.ts'
export { agentStatus, type AgentStatus } from './agent-status.ts'
export { createApiKeyVerifier } from './api-key-verifier.ts'
export type { AuthenticationRefusal, AuthenticationResult, Authenticator, Presented } from './authenticator.ts'
export type {
  CredentialKind,
  CredentialStore,
  PrincipalChange,
  StoredCredential,
  StoredKey,
  StoredPrincipal,
} from './credential-store.ts'
export { createCredentialUse, type CredentialUse, type CredentialUseStore } from './credential-use.ts'
export type { CredentialVerifier, SchemeAndCredential } from './credential-verifier.ts'
export { createAuthenticator } from './create-authenticator.ts'
export { createIdentityRegistry } from './create-identity-registry.ts'
export type { IdentityEvent, IdentityEvents, IdentityRefusal } from './identity-events.ts'
export type {
  ActiveCredential,
  CredentialRequest,
  IdentityRegistry,
  KeyRequest,
  KeySummary,
} from './identity-registry.ts'
export type { PeopleConfig } from './people/config.ts'
export type { FactorStore, LinkedAccount, StoredLink, StoredPasskey, StoredPassword } from './people/factor-store.ts'
export { browserOrigin, type BrowserOrigin } from './people/browser-origin.ts'
export { cookie, linkCookieName, readCookie, sessionCookieName, visitCookieName } from './people/cookies.ts'
export { minPasswordLength, passwordProblem } from './people/password-rules.ts'
export { createPeople, type People } from './people/people.ts'
export { linkUrl } from './people/one-time-links.ts'
export type { SessionStore, SignInMethod, StoredSession } from './people/session-store.ts'
export type { Sessions, SessionSummary } from './people/sessions.ts'
export { csrfOf, sameText, type SignedIn, type SignIn } from './people/sign-in.ts'
export { addressNetwork } from './limits/address-key.ts'
export { createCallQuotas, type CallQuotas } from './limits/call-quotas.ts'
export { createDoorLimits, type DoorLimits, type LimitedDoor } from './limits/door-limits.ts'
export type { LimitVerdict } from './limits/limit-verdict.ts'
export type { Usage, UsageHolder, UsageStore } from './limits/usage-store.ts'
export {
  createNamespaceClosures,
  type ClosureStore,
  type NamespaceClosure,
  type NamespaceClosures,
} from './namespace-closures.ts'
export { refreshCaller } from './refresh-caller.ts'
export { readBindingDetails } from './workload/binding-details.ts'
export { checkBinding, type BoundIssuer } from './workload/check-binding.ts'
export { explainAssertion } from './workload/explain-assertion.ts'
export type { BindingVerdict } from './workload/match-bindings.ts'
export { createIssuerKeys } from './workload/create-issuer-keys.ts'
export { createJwtBearerGrant } from './workload/jwt-bearer-grant.ts'
export type { ServerIdentity } from './workload/own-audiences.ts'
export { createReadOwnToken } from './workload/own-token.ts'
export { createTokenExchangeGrant } from './workload/token-exchange-grant.ts'
export { trustIssuers } from './workload/trust-issuers.ts'
export type { UsedAssertions } from './workload/used-assertions.ts'
export { createVerifyAssertion } from './workload/verify-assertion.ts'
export type { WorkloadIssuer } from './workload/workload-issuer.ts'
export { createMemoryProofReplayStore } from './dpop/memory-proof-replay-store.ts'
export { createProofNonces, type ProofNonces } from './dpop/proof-nonces.ts'
export type { ProofReplayStore } from './dpop/proof-replay-store.ts'
export { createSharedProofReplayStore } from './dpop/shared-proof-replay-store.ts'
export {
  createProofVerifier,
  type PresentedProof,
  type ProofOutcome,
  type ProofVerifier,
} from './dpop/proof-verifier.ts'
export type { DpopConfig } from './resource-server/config.ts'
export { createResourceServer } from './resource-server/create-resource-server.ts'
export { metadataUrlOf, requestedResource, type RequestedResource } from './resource-server/requested-resource.ts'
export { signatureAlgorithms } from './signatures/signature-algorithm.ts'
export { createLocalKeyManagement, type KeyManagementService, type WrappedKey } from './upstream/key-management.ts'
export type {
  SecretChange,
  SecretKind,
  SecretName,
  StoredDataKey,
  StoredSecret,
  StoredUpstream,
  UpstreamMethod,
  UpstreamStore,
} from './upstream/upstream-store.ts'
export { createUpstreamVault, type UpstreamVault } from './upstream/upstream-vault.ts'
export type { UpstreamConfig } from './upstream/config.ts'
export {
  createUpstreamConnections,
  type UpstreamConnections,
  type UpstreamSummary,
} from './upstream/upstream-connections.ts'
export type { Arrival, Departure, Destination } from './upstream/upstream-departures.ts'
export type { CredentialOutcome, Doer } from './upstream/upstream-parts.ts'
