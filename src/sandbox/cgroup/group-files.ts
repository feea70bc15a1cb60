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

/** The number in a file of a group; `null` where there is none, such as "max" or no such file. */
export function groupNumber(group: string, name: string): number | null {
  const text = groupText(group, name)
  return text !== null && /^\d+\s*$/.test(text) ? Number(text) : null
}

/** One number of a file of lines `name number`; `null` where it is not there. */
export function groupField(group: string, name: string, field: string): number | null {
  const found = new RegExp(`^${field} (\\d+)$`, 'm').exec(groupText(group, name) ?? '')?.[1]
  return found === undefined ? null : Number(found)
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
