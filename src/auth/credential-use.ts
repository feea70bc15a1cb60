/** Where the time of the last use of each credential is kept. */
export interface CredentialUseStore {
  /** Unix milliseconds by credential id. */
  load(): Promise<ReadonlyMap<string, number>>
  /** A later time than the one that is kept replaces it, an earlier one does not. */
  write(uses: ReadonlyMap<string, number>): Promise<void>
}

/** When credentials were last used. For people who look for forgotten ones, not for decisions. */
export interface CredentialUse {
  /** Notes a use. Memory only; never fails. */
  note(credentialId: string, atMs: number): void
  /** Unix milliseconds; `null` where no use is known. */
  lastUsed(credentialId: string): number | null
  /** Writes what was noted since the last time. What cannot be written waits for the next. Never rejects. */
  flush(): Promise<void>
  /** Flushes once more and stops doing so by itself. */
  close(): Promise<void>
}

/**
 * Keeps the times in memory and writes those that changed every `periodMs`, so that a credential costs at most one row
 * in that time however busy it is. A crash loses at most that much: a credential then looks less used than it was.
 */
export async function createCredentialUse(
  store: CredentialUseStore,
  onFailure: (error: unknown) => void,
  periodMs = 60_000,
): Promise<CredentialUse> {
  const known = new Map(await store.load())
  let changed = new Set<string>()

  async function flush(): Promise<void> {
    if (changed.size === 0) return
    const writing = changed
    changed = new Set()
    const uses = new Map([...writing].map((id) => [id, known.get(id) ?? 0]))
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- decides nothing: the times are for people to read
    await store.write(uses).catch((error: unknown) => {
      for (const id of writing) changed.add(id)
      onFailure(error)
    })
  }

  const timer = setInterval(() => void flush(), periodMs)
  timer.unref()
  return {
    note(credentialId, atMs) {
      known.set(credentialId, atMs)
      changed.add(credentialId)
    },
    lastUsed: (credentialId) => known.get(credentialId) ?? null,
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
  }
}
