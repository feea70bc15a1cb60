/** Where the `jti` of DPoP proofs is remembered (RFC 9449 section 11.1). */
export interface ProofReplayStore {
  /**
   * Remembers a proof until then. `true` for the first caller alone, also when several ask at once; `false` for a
   * replay, and where it cannot be remembered.
   * @param proof digest of key and `jti`
   */
  remember(proof: string, expiresAtMs: number): boolean | Promise<boolean>
  /** Proofs made before this moment may have been used before and forgotten: they are refused. 0 where none is forgotten. */
  readonly rememberedSinceMs: number
}
