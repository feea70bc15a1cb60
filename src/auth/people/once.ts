import { randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/index.ts'

/** Things that somebody can come back for once and soon: challenges, sign-ins under way at an issuer. */
export interface Once<Value> {
  /** Keeps a value. The answer is 256 bits in base64url. */
  put(value: Value): string
  /** The value, the first time and in time; `null` otherwise. */
  take(key: string): Value | null
}

/** Keeps at most `max` values in memory for `seconds` each; the oldest makes room. A restart loses them. */
export function createOnce<Value>(clock: Clock, seconds: number, max: number): Once<Value> {
  const kept = new Map<string, { value: Value; untilMs: number }>()
  return {
    put(value) {
      const oldest = kept.keys().next().value
      if (kept.size >= max && oldest !== undefined) kept.delete(oldest)
      const key = randomBytes(32).toString('base64url')
      kept.set(key, { value, untilMs: clock.nowMs() + seconds * 1000 })
      return key
    },
    take(key) {
      const found = kept.get(key)
      kept.delete(key)
      return found !== undefined && found.untilMs > clock.nowMs() ? found.value : null
    },
  }
}
