import type { GuardedFetch } from '../../egress/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { ProofVerifier } from '../dpop/proof-verifier.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import type { MasterKey } from '../master-key.ts'
import type { AuthorizationStore } from './authorization-store.ts'
import type { AuthorizationServerConfig } from './config.ts'
import type { OAuthClientStore } from './oauth-client-store.ts'
import type { SigningKeyStore } from './signing-key-store.ts'
import type { TokenGrant } from './token-grant.ts'

/** What the authorization server stands on. */
export interface AuthorizationServerParts {
  readonly config: AuthorizationServerConfig
  readonly store: AuthorizationStore
  readonly clientStore: OAuthClientStore
  readonly keyStore: SigningKeyStore
  readonly masterKey: MasterKey
  readonly registry: IdentityRegistry
  readonly events: IdentityEvents
  readonly clock: Clock
  readonly fetch: GuardedFetch
  /** For grant types of ours; oidc-provider checks proofs for its own. */
  readonly proofs: ProofVerifier
  /** Whether a DPoP proof must carry a nonce of ours (RFC 9449 section 8). */
  readonly requireDpopNonce: boolean
  /** Whether clients can show certificates, which tokens are bound to then (RFC 8705 section 3). */
  readonly bindsToCertificates: boolean
  /** Grant types besides code, refresh and client credentials. */
  readonly grants: readonly TokenGrant[]
  /** HTML of the page for what a browser is not sent back to a client with. */
  readonly errorPage: (error: string, description: string) => string
  /** Told of what nobody expected. */
  readonly reportIncident: (where: string, error: unknown) => void
}
