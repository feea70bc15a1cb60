/** Something that the authorization server keeps for a time: a code, a refresh token, a grant, an interaction. */
export interface StoredArtifact {
  /** What it is, in the words of oidc-provider: `AuthorizationCode`, `RefreshToken`. */
  readonly model: string
  /** SHA-256 of its id in base64url. The id itself is what a client or browser holds, and is not kept. */
  readonly idHash: string
  /** The grant that it hangs on, by which all of them are revoked together; `null` where there is none. */
  readonly grantId: string | null
  /** What it says, sealed under the master key. */
  readonly sealed: Uint8Array
  readonly expiresAtMs: number
  readonly consumedAtMs: number | null
}

/** Where the authorization server keeps its artifacts. Every write is durable when its promise resolves. */
export interface AuthorizationStore {
  /** `false`, and nothing is written, where an artifact of this model has the id already. */
  insert(artifact: StoredArtifact): Promise<boolean>
  /**
   * Writes it whether it is there or not. A mark of consumption stays. `false`, and nothing is written, where it is not
   * there and `most` artifacts of its model are.
   */
  put(artifact: StoredArtifact, most?: number): Promise<boolean>
  find(model: string, idHash: string): Promise<StoredArtifact | null>
  /** Marks it as used. `true` for the first caller alone, also when several ask at once; `false` where it is gone. */
  consume(model: string, idHash: string, atMs: number): Promise<boolean>
  remove(model: string, idHash: string): Promise<void>
  removeByGrant(grantId: string): Promise<void>
  /** Remembers until then that an access token was revoked. */
  revokeToken(tokenIdHash: string, expiresAtMs: number): Promise<void>
  listRevokedTokens(): Promise<{ tokenIdHash: string; expiresAtMs: number }[]>
  /** Removes what has expired. */
  sweep(nowMs: number): Promise<void>
}
