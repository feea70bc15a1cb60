import type { ExecutorSettings } from '../protocol/executor-messages.ts'
import type { SandboxDescription } from '../sandbox.ts'
import { GroupPool } from './group-pool.ts'
import { openSubtree } from './group-subtree.ts'

/** Groups kept beyond one for each execution at once, for jails that wait and for those that have just ended. */
const spareGroups = 16

/** Whether there are cgroups, and those that there are. */
export interface GroupsState {
  readonly pool: GroupPool | null
  readonly description: SandboxDescription['cgroups']
}

/**
 * Makes the executor's cgroups as the configuration says. To be called while this process is still root, if it ever was.
 * @throws Error where they are required and there are none, with what to type
 */
export function openGroups(
  settings: Pick<ExecutorSettings, 'cgroups' | 'concurrency' | 'executorUid' | 'executorGid'>,
): GroupsState {
  if (settings.cgroups === 'off')
    return { pool: null, description: { inUse: false, reason: 'sandbox.cgroups is off', remedy: null } }
  const owner = process.getuid?.() === 0 ? { uid: settings.executorUid, gid: settings.executorGid } : null
  const result = openSubtree(owner)
  if (!result.ok) {
    const { reason, remedy } = result
    if (settings.cgroups === 'required')
      throw new Error(`cgroups are required (sandbox.cgroups) and there are none: ${reason}. To change that, ${remedy}`)
    return { pool: null, description: { inUse: false, reason, remedy } }
  }
  const { branches } = result.subtree
  const names = branches.map(({ version, controllers }) => `v${String(version)}: ${[...controllers].join(' ')}`)
  return {
    pool: new GroupPool(result.subtree, settings.concurrency + spareGroups),
    description: { inUse: true, detail: names.join(', ') },
  }
}
