import type { Clock } from '../../kernel/index.ts'
import { addressKey } from '../limits/address-key.ts'

/** Slows down whoever guesses, by account and by address. Does not tell whether an account is there. */
export interface SignInLimits {
  /**
   * Counts an attempt before it is made, so that many at once are no way around. `waitSeconds` 0 lets it go on; else
   * nothing may be looked at. A success must be told, or it counts as a failure.
   */
  begin(account: string, address: string): { readonly waitSeconds: number }
  succeeded(account: string, address: string): void
}

interface Failures {
  count: number
  lastMs: number
}

/** Failures that cost nothing, of one account and of one address. */
const free = { account: 5, address: 20 } as const
const longestWaitMs = 15 * 60_000
/** Without a failure for this long, the earlier ones are forgotten. */
const forgetMs = 60 * 60_000
const maxKept = 20_000

/**
 * Counts in memory. After the free ones each failure doubles the wait, from one second to a quarter of an hour. That is
 * a lock-out too: somebody can keep a person from using a password, never from using a passkey.
 */
export function createSignInLimits(clock: Clock): SignInLimits {
  const kept = new Map<string, Failures>()

  function waitMs(key: string, allowed: number): number {
    const failures = kept.get(key)
    if (failures === undefined || failures.count < allowed) return 0
    const pauseMs = Math.min(longestWaitMs, 1000 * 2 ** Math.min(20, failures.count - allowed))
    return Math.max(0, failures.lastMs + pauseMs - clock.nowMs())
  }

  function fail(key: string): void {
    const nowMs = clock.nowMs()
    const before = kept.get(key)
    kept.delete(key)
    const count = before === undefined || nowMs - before.lastMs > forgetMs ? 0 : before.count
    kept.set(key, { count: count + 1, lastMs: nowMs })
    const oldest = kept.keys().next().value
    if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest)
  }

  const keys = (account: string, address: string) => [`account ${account}`, `address ${addressKey(address)}`] as const

  return {
    begin(account, address) {
      const [byAccount, byAddress] = keys(account, address)
      const wait = Math.max(waitMs(byAccount, free.account), waitMs(byAddress, free.address))
      if (wait > 0) return { waitSeconds: Math.ceil(wait / 1000) }
      fail(byAccount)
      fail(byAddress)
      return { waitSeconds: 0 }
    },
    succeeded(account, address) {
      const [byAccount, byAddress] = keys(account, address)
      kept.delete(byAccount)
      const failures = kept.get(byAddress)
      // Only its own attempt: one account of a guesser must not clear the address for the next.
      if (failures !== undefined) kept.set(byAddress, { ...failures, count: failures.count - 1 })
    },
  }
}
