import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { groupProcesses, tryGroupFile, writeGroupFile } from './group-files.ts'
import { findHierarchies, serverGroupName, subtreeName, type Controller, type Hierarchy } from './hierarchies.ts'
import { removeGroup } from './remove-subtree.ts'

/** The groups that belong to one executor: in each hierarchy one directory, its jails' groups below it. */
export interface GroupSubtree {
  readonly branches: readonly GroupBranch[]
}

/** The part of a subtree in one hierarchy. */
export interface GroupBranch {
  readonly version: 1 | 2
  readonly controllers: ReadonlySet<Controller>
  readonly directory: string
}

/** The groups, or why there are none and what would make it so. */
export type SubtreeResult =
  | { readonly ok: true; readonly subtree: GroupSubtree }
  | { readonly ok: false; readonly reason: string; readonly remedy: string }

/** Who is to own the subtree, where that is another than the one who makes it. */
export interface SubtreeOwner {
  readonly uid: number
  readonly gid: number
}

const needed: readonly Controller[] = ['memory', 'pids']
const executorGroupName = 'executor'
const leafRounds = 10

/**
 * Makes the groups of this executor and moves this process into one of them, because in version 2 a process may be moved
 * only by someone who may write to the group above both its old and its new place (Linux cgroup-v2, "Delegation Containment").
 * For the same reason ("No Internal Process Constraint") the server, and what started it, go into a leaf of their own there.
 * `owner` is given where this process is root and will not be. Never throws; what was begun is taken back.
 */
export function openSubtree(owner: SubtreeOwner | null): SubtreeResult {
  const hierarchies = findHierarchies()
  const missing = needed.filter((name) => !hierarchies.some(({ controllers }) => controllers.has(name)))
  if (missing.length > 0) return { ok: false, ...missingController(missing) }
  const made: GroupBranch[] = []
  for (const hierarchy of hierarchies) {
    try {
      sweep(hierarchy.base)
      made.push(openBranch(hierarchy, owner))
    } catch (error) {
      for (const branch of made) leaveBranch(branch)
      return { ok: false, ...refusal(hierarchy, error) }
    }
  }
  return { ok: true, subtree: { branches: made } }
}

function openBranch({ version, base, controllers }: Hierarchy, owner: SubtreeOwner | null): GroupBranch {
  const directory = join(base, subtreeName(process.pid))
  if (version === 2) delegateFrom(base, controllers)
  mkdirSync(directory)
  const branch = { version, controllers, directory }
  try {
    if (owner !== null) {
      for (const name of ['', 'cgroup.procs', ...(version === 2 ? ['cgroup.subtree_control'] : ['tasks'])])
        chownSync(join(directory, name), owner.uid, owner.gid)
    }
    mkdirSync(join(directory, executorGroupName))
    writeGroupFile(join(directory, executorGroupName), 'cgroup.procs', process.pid)
    if (version === 2) enable(directory, controllers)
  } catch (error) {
    leaveBranch(branch)
    throw error
  }
  return branch
}

/** Version 2: makes the controllers available below a group, which then may hold no process unless it is the very first. */
function delegateFrom(base: string, controllers: ReadonlySet<Controller>): void {
  // Only the first group of the machine has no type.
  if (existsSync(join(base, 'cgroup.type'))) makeLeaf(base)
  enable(base, controllers)
}

function makeLeaf(base: string): void {
  const leaf = join(base, serverGroupName)
  for (let round = 0; round < leafRounds; round += 1) {
    const there = groupProcesses(base)
    if (there.length === 0) return
    const family = ancestors()
    const foreign = there.filter((pid) => !family.has(pid))
    if (foreign.length > 0)
      throw new SharedGroup(`other processes are in the group of this server (${foreign.slice(0, 5).join(', ')})`)
    mkdirSync(leaf, { recursive: true })
    for (const pid of there) writeGroupFile(leaf, 'cgroup.procs', pid)
  }
}

class SharedGroup extends Error {}

/** This process and those that it descends from. */
function ancestors(): ReadonlySet<number> {
  const found = new Set<number>()
  for (let pid = process.pid; pid > 0 && !found.has(pid); pid = parentOf(pid)) found.add(pid)
  return found
}

function parentOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- an ancestor that is not found is treated as foreign
  } catch {
    return 0
  }
}

function enable(directory: string, controllers: ReadonlySet<Controller>): void {
  for (const name of controllers) {
    if (needed.includes(name)) writeGroupFile(directory, 'cgroup.subtree_control', `+${name}`)
    else tryGroupFile(directory, 'cgroup.subtree_control', `+${name}`)
  }
}

/** Moves this process out of what it made, as far as it got, and removes that. True where nothing is left. */
export function leaveBranch({ directory }: GroupBranch): boolean {
  const base = dirname(directory)
  // Version 2 takes no process where groups below have controllers; the server is in a leaf then, and there is room in it.
  if (!tryGroupFile(base, 'cgroup.procs', process.pid))
    tryGroupFile(join(base, serverGroupName), 'cgroup.procs', process.pid)
  return removeGroup(directory)
}

/** Removes what dead executors left. A living one is in its own subtree, which can therefore not be removed. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = /^mcpworks-(\d+)$/.exec(name)?.[1]
    if (pid !== undefined && (Number(pid) === process.pid || !existsSync(`/proc/${pid}`))) removeGroup(join(base, name))
  }
}

const delegateScope = 'systemd-run --scope -p Delegate=yes'

function missingController(missing: readonly Controller[]): { reason: string; remedy: string } {
  const names = missing.join(' and ')
  return {
    reason: `no cgroup hierarchy offers this server the controllers ${names}`,
    remedy:
      process.getuid?.() === 0
        ? `start the server with: ${delegateScope} mcpworks up (or add cgroup_enable=memory to the kernel's command line where its memory controller is off)`
        : `start the server with: ${delegateScope.replace(' ', ' --user ')} mcpworks up`,
  }
}

function refusal(hierarchy: Hierarchy, error: unknown): { reason: string; remedy: string } {
  const { code, message } = error as NodeJS.ErrnoException
  const where = `cgroup v${String(hierarchy.version)} at ${hierarchy.base}`
  const user = process.getuid?.() === 0 ? '' : ' --user'
  const remedy = `start the server with: ${delegateScope.replace(' ', `${user} `)} mcpworks up, or as the unit in deploy/`
  if (hierarchy.isReadOnly || code === 'EROFS')
    return {
      reason: `${where} is mounted read-only, as containers have it`,
      remedy: 'let the container write to its own cgroups; docs/deployments.md says how for each container engine',
    }
  if (code === 'EACCES' || code === 'EPERM')
    return { reason: `${where} does not belong to the user of this server`, remedy }
  if (error instanceof SharedGroup) return { reason: `${where}: ${message}`, remedy }
  return { reason: `${where} could not be used: ${basename(hierarchy.base)}: ${message}`, remedy }
}
