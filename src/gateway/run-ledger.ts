import { uuidv7, type Caller, type Clock } from '../kernel/index.ts'

/**
 * Mints the ids of runs. A run belongs to a principal and a credential and lasts until it is idle for too long,
 * so that an agent cannot choose to begin a clean one.
 * Held in memory: a restart begins new runs.
 */
export interface RunLedger {
  currentRun(caller: Caller, namespace: string): string
}

/** Keeps at most `maxRuns` runs and forgets the least recently used beyond that. */
export function createRunLedger(clock: Clock, idleMs: number, maxRuns = 100_000): RunLedger {
  const runs = new Map<string, { id: string; lastUsedMs: number }>()
  return {
    currentRun(caller, namespace) {
      const key = JSON.stringify([namespace, caller.principal.id, caller.authentication.credentialId])
      const nowMs = clock.monotonicMs()
      const known = runs.get(key)
      runs.delete(key)
      const run =
        known !== undefined && nowMs - known.lastUsedMs < idleMs
          ? known
          : { id: uuidv7(clock.nowMs()), lastUsedMs: nowMs }
      run.lastUsedMs = nowMs
      runs.set(key, run)
      if (runs.size > maxRuns) {
        const oldest = runs.keys().next().value
        if (oldest !== undefined) runs.delete(oldest)
      }
      return run.id
    },
  }
}
