/** Who acts: an agent (a program with its own credentials) or a user (a person). */
export interface Principal {
  readonly type: 'agent' | 'user'
  /** Unique on the platform and never used twice: `namespace/name` for an agent, the name for a user. */
  readonly id: string
  readonly name: string
  /** The one namespace that the principal belongs to; `null` for a platform user. */
  readonly namespace: string | null
  readonly groups: readonly string[]
}

/** How the principal proved who it is. Holds nothing that could be used to prove it again. */
export interface Authentication {
  readonly method: 'api-key' | 'access-token' | 'session' | 'approval-link'
  /** Public id of the credential that the registry or the sessions know it by; never the secret. */
  readonly credentialId: string
  /** True only if the credential is bound to a key that the caller proved to hold. */
  readonly senderConstrained: boolean
  /** How, where it is: by a DPoP proof (RFC 9449) or the client's certificate (RFC 8705). */
  readonly binding?: 'dpop' | 'mtls'
  /** Of that key, in base64url: its JWK thumbprint (`jkt`, RFC 9449), or the SHA-256 of its certificate (`x5t#S256`, RFC 8705). */
  readonly keyThumbprint?: string
  /** Unix milliseconds; `null` if the credential does not expire. */
  readonly expiresAtMs: number | null
  /** What the credential may be used for at most; policy decides within that. */
  readonly scopes: readonly Scope[]
  /** When the person proved who they are, in Unix milliseconds. Only with a session. */
  readonly authenticatedAtMs?: number
  /** Only with a link for deciding on a call that waits: good for that call alone. */
  readonly link?: { readonly namespace: string; readonly approval: string; readonly madeBy: string }
  /** Only with an access token. */
  readonly token?: AccessTokenFacts
}

/** What an access token said besides whose it is. All of it was verified. */
export interface AccessTokenFacts {
  /** `iss` (RFC 9068 section 2.2). */
  readonly issuer: string
  /** `client_id` or what the issuer has in its place; `null` where it says none. */
  readonly clientId: string | null
  /** `jti`; `null` where the issuer gives none. */
  readonly tokenId: string | null
  /** What records name the token by: an HMAC of `tokenId`, which nobody can guess back. Absent where there is no `jti`. */
  readonly tokenIdHmac?: string
  /** `act` (RFC 8693 section 4.1), the present actor first; empty where nobody acts for another. */
  readonly actors: readonly string[]
  /**
   * Credentials under which those actors proved themselves, where this server issued the token: with one of them the
   * token ends.
   */
  readonly actorCredentials?: readonly string[]
}

/** `mcp` opens namespace endpoints, `admin` the management API. */
export type Scope = 'mcp' | 'admin'

/** An authenticated caller: the principal, its proof, and where the request came from. */
export interface Caller {
  readonly principal: Principal
  readonly authentication: Authentication
  readonly client: {
    readonly address: string
    /** What the client calls itself. Unverified. */
    readonly claimedName: string | null
  }
}
