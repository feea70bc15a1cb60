import type { Clock } from '../../kernel/index.ts'
import type { UsedAssertions } from '../workload/used-assertions.ts'
import type { ProofReplayStore } from './proof-replay-store.ts'

/**
 * Remembers proofs in the state store, for all nodes on it and over restarts. Costs a durable write with every request.
 * While the store cannot be written, proofs are refused.
 */
export function createSharedProofReplayStore(used: UsedAssertions, clock: Clock): ProofReplayStore {
  return {
    rememberedSinceMs: 0,
    async remember(proof, expiresAtMs) {
      try {
        return await used.claim('dpop', proof, expiresAtMs, clock.nowMs())
      } catch {
        return false
      }
    },
  }
}
