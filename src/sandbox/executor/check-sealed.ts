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

/**
 * The same for the keeper of a guest: the process of this kernel that runs the guest's. What the runner bound itself by is
 * known to the guest's kernel only, and its word is that the runner says `ready`: it does so after that kernel has taken
 * its filter, and before it has received any code. The keeper holds capabilities over namespaces of its own, which contain
 * nothing; its filter is one of its own making, without which it does not run a guest.
 */
export function unsealedKeeperReason(facts: ProcessFacts | null, ownFilters: number): string | null {
  if (facts === null) return 'its keeper is gone, or what the guest uses cannot be measured'
  if (facts.uids.length !== 4 || facts.uids.some((uid) => uid === 0)) return 'it has user id 0 outside of the jail'
  if (!facts.noNewPrivs) return 'no_new_privs is off'
  if (facts.seccompMode !== 2) return 'its keeper is under no system-call filter'
  if (facts.seccompFilters !== 0 && facts.seccompFilters < ownFilters + 1)
    return 'its keeper is under no system-call filter of its own'
  return null
}
