/** A passkey as stored (WebAuthn credential record). Holds a public key and nothing secret. */
export interface StoredPasskey {
  /** Credential id in base64url. */
  readonly id: string
  readonly userId: string
  readonly label: string
  /** COSE key (RFC 9052 section 7). */
  readonly publicKey: Uint8Array
  /** Signature counter; 0 for the many authenticators that have none. */
  readonly counter: number
  /** Host name that it was made for. */
  readonly relyingParty: string
  readonly transports: readonly string[]
  readonly backedUp: boolean
  readonly createdAtMs: number
  readonly lastUsedAtMs: number | null
}

/** A password as stored: an argon2id hash in PHC string form, never the password. */
export interface StoredPassword {
  readonly userId: string
  readonly hash: string
  readonly setAtMs: number
}

/** An account at an OpenID Connect issuer with which a user signs in. */
export interface LinkedAccount {
  readonly issuer: string
  readonly subject: string
  readonly userId: string
  /** Whether the user's roles are those of the issuer's groups, set anew at each sign-in. */
  readonly rolesFollow: boolean
  readonly linkedAtMs: number
}

/** A one-time link as stored: the SHA-256 of its 256-bit token, never the token. */
export interface StoredLink {
  readonly id: string
  /** 64 lower-case hex digits. */
  readonly tokenSha256: string
  /** Whom it lets in; `null` for whoever sets up the first owner. */
  readonly userId: string | null
  readonly createdAtMs: number
  readonly expiresAtMs: number
  readonly usedAtMs: number | null
}

/** Where what people sign in with is kept. Every write is durable when its promise resolves. */
export interface FactorStore {
  load(): Promise<{ passkeys: StoredPasskey[]; passwords: StoredPassword[]; accounts: LinkedAccount[] }>
  /** @throws McpworksError `already_exists` where the id is taken, whoever has it. */
  insertPasskey(passkey: StoredPasskey): Promise<void>
  /**
   * Stores a use. False, and nothing changes, where the stored counter is not lower than the new one unless both are 0,
   * or the passkey is gone: of two uses with one counter value one is refused.
   */
  usePasskey(id: string, use: Pick<StoredPasskey, 'counter' | 'backedUp'> & { atMs: number }): Promise<boolean>
  removePasskey(id: string): Promise<void>
  /** Replaces one that was there. */
  setPassword(password: StoredPassword): Promise<void>
  removePassword(userId: string): Promise<void>
  /** @throws McpworksError `already_exists` where the issuer's subject is linked already. */
  linkAccount(account: LinkedAccount): Promise<void>
  insertLink(link: StoredLink): Promise<void>
  findLink(tokenSha256: string): Promise<StoredLink | null>
  /** True for exactly one caller, and only before the link expires. */
  useLink(id: string, atMs: number): Promise<boolean>
  /** Makes every unused link of a user worth nothing. */
  voidLinks(userId: string | null, atMs: number): Promise<void>
}
