import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../kernel/index.ts'

/** Nonces that DPoP proofs must carry (RFC 9449 section 8), without any memory of those given out. */
export interface ProofNonces {
  /** The nonce of this moment, to be sent as `DPoP-Nonce`. */
  current(): string
  /** `current` and `previous` are good. The holder of a previous one is to be sent the current one. */
  judge(nonce: unknown): 'current' | 'previous' | 'unknown'
}

/**
 * Makes nonces from a key that all nodes share: each is good for one to two times `stepSeconds`, for everybody. They
 * bound how long before its use a proof can have been made; that it is used once is the replay store's to see.
 */
export function createProofNonces(key: Uint8Array, stepSeconds: number, clock: Clock): ProofNonces {
  const step = (): number => Math.floor(clock.nowMs() / (stepSeconds * 1000))
  const nonceOf = (index: number): string =>
    createHmac('sha256', key).update(`dpop nonce ${index}`).digest('base64url').slice(0, 32)
  return {
    current: () => nonceOf(step()),
    judge(nonce) {
      if (typeof nonce !== 'string') return 'unknown'
      const index = step()
      if (isSame(nonce, nonceOf(index))) return 'current'
      return isSame(nonce, nonceOf(index - 1)) ? 'previous' : 'unknown'
    },
  }
}

function isSame(given: string, expected: string): boolean {
  const left = Buffer.from(given)
  const right = Buffer.from(expected)
  return left.length === right.length && timingSafeEqual(left, right)
}
