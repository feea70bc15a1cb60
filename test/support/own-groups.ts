import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findHierarchies, type Controller } from '../../src/sandbox/cgroup/hierarchies.ts'

/** Directories of executors that this process started, one in each hierarchy, or only in that of one controller. */
export function subtrees(controller?: Controller): string[] {
  return findHierarchies()
    .filter(({ controllers }) => controller === undefined || controllers.has(controller))
    .flatMap(({ base }) =>
      readdirSync(base)
        .filter((name) => name.startsWith('mcpworks-') && isChild(name.slice('mcpworks-'.length)))
        .map((name) => join(base, name)),
    )
}

/** The groups of jails below them. */
export function jailGroups(controller?: Controller): string[] {
  return subtrees(controller).flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => name.startsWith('jail-'))
      .map((name) => join(directory, name)),
  )
}

export const processesIn = (group: string): number[] =>
  readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number)

/** Processes of a group that the kernel ended for want of memory. */
export function oomKills(group: string): number {
  const file = isVersion2(group) ? 'memory.events' : 'memory.oom_control'
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(group, file), 'latin1'))?.[1])
}

/** The number of a file by its name in version 2. */
export function memoryNumber(group: string, name: 'memory.current' | 'memory.max'): number {
  const ofVersion1 = { 'memory.current': 'memory.usage_in_bytes', 'memory.max': 'memory.limit_in_bytes' }
  return Number(readFileSync(join(group, isVersion2(group) ? name : ofVersion1[name]), 'latin1'))
}

/** Bounds the memory of a group from above; -1 takes the bound away. */
export function boundMemory(group: string, bytes: number): void {
  const [file, none] = isVersion2(group) ? ['memory.max', 'max'] : ['memory.limit_in_bytes', '-1']
  writeFileSync(join(group, file ?? ''), bytes === -1 ? (none ?? '') : String(bytes))
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(2)
}

function isVersion2(group: string): boolean {
  return readdirSync(group).includes('cgroup.controllers')
}

function isChild(pid: string): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return new RegExp(`^PPid:\\s+${String(process.pid)}$`, 'm').test(status)
  } catch {
    return false
  }
}
