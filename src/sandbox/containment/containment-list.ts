import { architectures, type Architecture } from '../profile/architecture.ts'
import { groupOf, type ContainmentCheck } from './containment-check.ts'
import { fileChecks } from './list/files.ts'
import { identityChecks } from './list/identity.ts'
import { kernelViewChecks } from './list/kernel-views.ts'
import { limitChecks } from './list/limits.ts'
import { networkChecks } from './list/network.ts'
import { siblingChecks } from './list/siblings.ts'
import { systemCallChecks } from './list/system-calls.ts'
import { viewChecks } from './list/views.ts'

/**
 * Every check, for one processor architecture (as Node names it): numbers of system calls differ, and some calls exist
 * on one only. Ids are unique.
 * @throws Error for an architecture that has no filter, or where two checks have one id
 */
export function containmentList(architectureName: string): readonly ContainmentCheck[] {
  const architecture: Architecture | undefined = architectures.get(architectureName)
  if (architecture === undefined) throw new Error(`there is no system-call filter for ${architectureName}`)
  const all = [
    ...fileChecks(),
    ...kernelViewChecks(),
    ...networkChecks(),
    ...systemCallChecks(architecture),
    ...identityChecks(),
    ...limitChecks(architecture),
    ...siblingChecks(),
    ...viewChecks(),
  ]
  const ids = new Set<string>()
  for (const { id } of all) {
    groupOf(id)
    if (ids.has(id)) throw new Error(`two containment checks are called ${id}`)
    ids.add(id)
  }
  return all
}
