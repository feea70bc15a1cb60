import type { Clock } from '../../kernel/index.ts'
import type { ProofReplayStore } from './proof-replay-store.ts'

const bucketMs = 10_000

/**
 * Remembers proofs of one node in memory. What was used before a restart is forgotten, so proofs made before the start
 * are refused; one from a clock ahead of ours can be replayed after a restart for as long as it is ahead. Where
 * `limit` proofs are remembered, further ones are refused until some expire: forgetting one early would let it be
 * replayed.
 */
export function createMemoryProofReplayStore(clock: Clock, limit: number): ProofReplayStore {
  const seen = new Set<string>()
  const buckets = new Map<number, string[]>()

  function forgetExpired(nowMs: number): void {
    for (const [bucket, proofs] of buckets) {
      if ((bucket + 1) * bucketMs > nowMs) continue
      for (const proof of proofs) seen.delete(proof)
      buckets.delete(bucket)
    }
  }

  return {
    // `iat` has whole seconds: what is made in the second of the start is ours.
    rememberedSinceMs: Math.floor(clock.nowMs() / 1000) * 1000,
    remember(proof, expiresAtMs) {
      forgetExpired(clock.nowMs())
      if (seen.has(proof) || seen.size >= limit) return false
      seen.add(proof)
      const bucket = Math.floor(expiresAtMs / bucketMs)
      const proofs = buckets.get(bucket)
      if (proofs === undefined) buckets.set(bucket, [proof])
      else proofs.push(proof)
      return true
    },
  }
}
