import type { JsonObject } from '../../kernel/index.ts'
import type { AccessTokenOrder } from './issue-access-token.ts'

/** A request to the token endpoint, before a grant has looked at it. */
export interface TokenGrantRequest {
  /** Parameters of the body, each once; empty ones are left out (RFC 6749 section 3.2). */
  readonly parameters: ReadonlyMap<string, string>
  /** `resource` may come more than once (RFC 8707 section 2). */
  readonly resources: readonly string[]
  /** The client, where one was named; it was authenticated by the method that it is registered with. */
  readonly client: { readonly id: string; readonly isPublic: boolean } | null
  /** Thumbprint (RFC 7638) of the key of a good DPoP proof for this endpoint; `null` where none was sent. */
  readonly dpopThumbprint: string | null
  /** SHA-256 in base64url of the client's certificate, where TLS ends here and it sent one. */
  readonly certificateSha256: string | null
  /** The issuer identifier of this server; a grant that takes assertions accepts it as their audience. */
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly address: string
}

/** What a grant says to a request. The order is still checked when the token is issued. */
export type TokenGrantAnswer =
  | {
      readonly ok: true
      /** Without what the endpoint knows: the key that the token is bound to and the address are put in there. */
      readonly order: Omit<AccessTokenOrder, 'binding' | 'address' | 'grantType'>
      /** Members of the response besides the usual ones: `issued_token_type` (RFC 8693 section 2.2.1). */
      readonly members?: JsonObject
    }
  | {
      readonly ok: false
      readonly error: 'invalid_request' | 'invalid_grant' | 'invalid_scope' | 'invalid_target' | 'unauthorized_client'
      /** For the client, in our words: nothing of the request. */
      readonly description: string
      /** For the record, in our words. */
      readonly reason: string
    }

/**
 * A grant type besides those of oidc-provider. Called without a client where the request names none, which
 * oidc-provider itself would refuse. Never throws for what a client sends.
 */
export interface TokenGrant {
  /** `grant_type`: a URI (RFC 6749 section 4.5). */
  readonly grantType: string
  /** Parameters that it reads, besides `scope` and `resource`. Others are ignored. */
  readonly parameters: readonly string[]
  /** Profiles of it that clients are told of (`authorization_grant_profiles_supported`). */
  readonly profiles?: readonly string[]
  handle(request: TokenGrantRequest): Promise<TokenGrantAnswer>
}
