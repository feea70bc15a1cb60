/** Assertions that are taken once only. Outlives a restart, and is shared by all servers on one database. */
export interface UsedAssertions {
  /**
   * Marks an assertion as used until it has expired everywhere; `false` where it was already. Of several callers at the
   * same time one gets `true`.
   * @throws McpworksError `storage_unavailable`: the assertion must not be acted on
   */
  claim(issuer: string, id: string, untilMs: number, nowMs: number): Promise<boolean>
}
