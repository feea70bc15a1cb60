import type { ProcessFacts } from './process-facts.ts'

const noCapability = /^0+$/

/**
 * Whether the kernel says that a jailed process is bound as it must be before it may receive code: not root outside, no
 * capability in any set, no_new_privs, and both filters on. Looks from outside, so a broken runner cannot claim it.
 * Returns the first thing that is wrong, or `null`. Does not look at namespaces; the self-test does.
 */
export function unsealedReason(facts: ProcessFacts | null, ownFilters: number): string | null {
  if (facts === null) return 'the process is gone'
  if (facts.uids.length !== 4 || facts.uids.some((uid) => uid === 0)) return 'it has user id 0 outside of the jail'
  if (!facts.capabilities.every((set) => noCapability.test(set))) return 'it holds capabilities'
  if (!facts.noNewPrivs) return 'no_new_privs is off'
  if (facts.seccompMode !== 2) return 'no system-call filter is on'
  // Zero on kernels that do not count them.
  if (facts.seccompFilters !== 0 && facts.seccompFilters < ownFilters + 2)
    return 'the final system-call filter is not on'
  return null
}
