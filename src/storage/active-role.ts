/** Whether this server is the one that acts on its data. On SQLite it is for as long as it runs: it holds a file lock. */
export interface ActiveRole {
  /** Why it must not act at present, `null` while it may. */
  lost(): string | null
  /** Resolves, with a sentence for the operator, once another server has taken over: this one can only end. */
  readonly replaced: Promise<string>
}

/** The role of the only server of a data directory. */
export const onlyServer: ActiveRole = { lost: () => null, replaced: new Promise(() => {}) }
