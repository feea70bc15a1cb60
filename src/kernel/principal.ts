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
  readonly method: 'api-key'
  /** Public id of the credential; never the secret. */
  readonly credentialId: string
  /** True only if the credential is bound to a key that the caller proved to hold. */
  readonly senderConstrained: boolean
  /** Unix milliseconds; `null` if the credential does not expire. */
  readonly expiresAtMs: number | null
  /** What the credential may be used for at most; policy decides within that. */
  readonly scopes: readonly Scope[]
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
