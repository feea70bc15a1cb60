import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes one value to a file of a group. @throws what the kernel says of it */
export function writeGroupFile(group: string, name: string, value: string | number): void {
  writeFileSync(join(group, name), String(value))
}

/** Writes where the kernel has the file, and says whether it took the value. For what is better done and not needed. */
export function tryGroupFile(group: string, name: string, value: string | number): boolean {
  try {
    writeGroupFile(group, name, value)
    return true
  } catch {
    return false
  }
}

/** Processes of a group, those of its children not counted. Processes of other process namespaces are left out. */
export function groupProcesses(group: string): readonly number[] {
  return (groupText(group, 'cgroup.procs') ?? '')
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0)
}

function groupText(group: string, name: string): string | null {
  try {
    return readFileSync(join(group, name), 'latin1')
  } catch {
    return null
  }
}
