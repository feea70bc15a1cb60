/** The stretch of one principal's work that labels stick to. Every call in it, inner ones too, shares it. */
export interface Run {
  readonly id: string
  /** What it has gathered, sorted. Labels are added and never taken away. */
  readonly labels: readonly string[]
  /** Adds labels, for everybody who shares the run, from this moment on. */
  gather(labels: readonly string[]): void
  /**
   * Resolves once what was gathered would survive a kill. Nothing that a label warns of may be let in before.
   * @throws McpworksError `storage_unavailable`
   */
  kept(): Promise<void>
}

/** A run that holds labels, as it is kept. One without is not: another without is as good. */
export interface StoredRun {
  readonly namespace: string
  readonly principal: string
  readonly id: string
  readonly labels: readonly string[]
  /** Unix milliseconds. */
  readonly lastUsedMs: number
}

/** Where runs are kept. */
export interface RunStore {
  load(): Promise<readonly StoredRun[]>
  /** Puts runs in place of those of the same namespace and principal. */
  save(runs: readonly StoredRun[]): Promise<void>
  /** Forgets runs that were last used before this moment. */
  forgetBefore(timeMs: number): Promise<void>
}
