import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { killIfThere } from '../kill-if-there.ts'
import { groupProcesses, tryGroupFile } from './group-files.ts'
import { findHierarchies, subtreeName } from './hierarchies.ts'

const patienceMs = 2000
const roundMs = 5

/** Removes a group and the groups below it, as far as they are empty. True where it is gone. Kills nothing. */
export function removeGroup(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(group, entry.name))
    rmdirSync(group)
    return true
  } catch {
    return false
  }
}

/** Kills every process in a group and below it that this process may kill. Does not wait for their end. */
export function killGroup(group: string): void {
  // Processes under a bound of processor time end late: they have to run to do it.
  tryGroupFile(group, 'cpu.cfs_quota_us', -1)
  if (tryGroupFile(group, 'cgroup.kill', 1)) return
  for (const pid of groupProcesses(group)) killIfThere(pid)
  for (const below of groupsBelow(group)) killGroup(below)
}

/** Kills what is left in groups, and removes them. False where after two seconds something is still there. */
export async function removeGroups(groups: readonly string[]): Promise<boolean> {
  const there = groups.filter((group) => existsSync(group))
  const end = performance.now() + patienceMs
  for (;;) {
    const left = there.filter((group) => !removeGroup(group) && existsSync(group))
    if (left.length === 0) return true
    if (performance.now() > end) return false
    for (const group of left) killGroup(group)
    await pause(roundMs)
  }
}

/**
 * For the server, when its executor is gone: ends what is left of the jails, and removes the executor's groups, which an
 * executor that is no longer root cannot do. False where after two seconds something is still there.
 */
export async function removeSubtree(executorPid: number): Promise<boolean> {
  return await removeGroups(findHierarchies().map(({ base }) => join(base, subtreeName(executorPid))))
}

function groupsBelow(group: string): readonly string[] {
  try {
    return readdirSync(group, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(group, entry.name))
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- a group that is gone has nothing in it
  } catch {
    return []
  }
}
