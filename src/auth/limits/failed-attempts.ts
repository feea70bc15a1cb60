import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/index.ts'
import { CountedWindow } from './counted-window.ts'
import type { LimitsConfig } from './config.ts'
import { overLimit, withinLimits, type LimitVerdict } from './limit-verdict.ts'

const knownGoodMs = 3_600_000
/** How long it is remembered that an address was slowed, so that the next time is longer. */
const strikesMs = 3_600_000

/**
 * Slows those who present bad credentials, without giving anybody the means to lock somebody else out:
 * - An address is slowed for its own failures only.
 * - While it is slowed, credentials that were good there lately pass, and some of the unknown ones are looked at each
 *   second: behind one router sit strangers and honest agents.
 * - An API key is never locked: its secret has 256 bits, so that guesses cannot succeed, and a lock would be of use
 *   to nobody but the guesser, who needs nothing but its public id.
 */
export interface FailedAttempts {
  /** Whether the credential may be looked at. */
  mayTry(address: string, credential: string | null): Promise<LimitVerdict>
  /** Counts a bad credential. A refusal says that the answer is to be 429 instead of 401. */
  failed(address: string, keyId: string | null): Promise<LimitVerdict>
  /** Remembers a good credential where the address has presented bad ones. */
  succeeded(address: string, credential: string): void
}

/** Keeps everything in memory, at most `maxAddresses` of each. */
export function createFailedAttempts(config: LimitsConfig, clock: Clock): FailedAttempts {
  const { failuresPerMinute, keyFailuresPerMinute, looksPerSecond, maxSlowSeconds, maxAddresses: maxKeys } = config
  const perAddress = new CountedWindow({ points: failuresPerMinute, seconds: 60, maxKeys })
  const perKey = new CountedWindow({ points: keyFailuresPerMinute, seconds: 60, maxKeys })
  const looks = new CountedWindow({ points: looksPerSecond, seconds: 1, maxKeys })
  const slowed = new Map<string, { untilMs: number; strikes: number }>()
  const known = new Map<string, number>()
  const salt = randomBytes(16).toString('hex')
  const knownKey = (address: string, credential: string): string => hash('sha256', `${salt} ${address} ${credential}`)

  function slow(address: string): number {
    const nowMs = clock.monotonicMs()
    const before = slowed.get(address)
    if (before !== undefined && before.untilMs > nowMs) return before.untilMs - nowMs
    const recent = before !== undefined && nowMs - before.untilMs < strikesMs
    const strikes = recent ? Math.min(before.strikes + 1, 30) : 0
    const forMs = Math.min(maxSlowSeconds, 2 ** strikes) * 1000
    setBounded(slowed, address, { untilMs: nowMs + forMs, strikes }, maxKeys)
    return forMs
  }

  return {
    async mayTry(address, credential) {
      if (slowed.size === 0) return withinLimits
      const leftMs = (slowed.get(address)?.untilMs ?? 0) - clock.monotonicMs()
      if (leftMs <= 0) return withinLimits
      if (credential !== null) {
        const goodAtMs = known.get(knownKey(address, credential))
        if (goodAtMs !== undefined && clock.monotonicMs() - goodAtMs < knownGoodMs) return withinLimits
      }
      if (!(await looks.count(address)).isOver) return withinLimits
      return overLimit('slowed after bad credentials', leftMs)
    },
    async failed(address, keyId) {
      const ofKey = keyId === null ? null : await perKey.count(keyId)
      const ofAddress = await perAddress.count(address)
      if (ofAddress.isOver) return overLimit(`more than ${failuresPerMinute} bad credentials a minute`, slow(address))
      if (ofKey?.isOver === true)
        return overLimit(`more than ${keyFailuresPerMinute} wrong secrets a minute for one key`, ofKey.endsInMs)
      return withinLimits
    },
    succeeded(address, credential) {
      if (slowed.size === 0 && perAddress.size === 0) return
      if (!perAddress.has(address) && !slowed.has(address)) return
      setBounded(known, knownKey(address, credential), clock.monotonicMs(), maxKeys)
    },
  }
}

/** Sets a value as the newest; the oldest gives way. */
function setBounded<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key)
  if (map.size >= most) {
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
  map.set(key, value)
}
