import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

/** Clock ticks of /proc, 100 a second on every Linux. */
const tickMs = 10

/** A process and what it holds. */
export interface ProcessMemory {
  readonly pid: number
  readonly parent: number
  readonly program: string
  /** Proportional set size: its own pages, and its share of those that it has in common with others. */
  readonly pssBytes: number
}

/** Children of a process, those of its threads included. Empty for one that is gone. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

/** A process and everything below it. */
function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)]
}

/** Processor time of a process, of everything below it, and of what was below it and has been waited for. */
export function treeCpuMs(pid: number): number {
  // utime, stime, cutime, cstime.
  return treeOf(pid).reduce((sum, each) => sum + ticksOf(each, 4) * tickMs, 0)
}

/** Processor time of a process alone. */
export function ownCpuMs(pid: number): number {
  return ticksOf(pid, 2) * tickMs
}

/** The sum of that many fields of its `stat`, from the 14th on: utime, stime, cutime, cstime. */
function ticksOf(pid: number, count: number): number {
  const stat = readOrNothing(`/proc/${pid}/stat`)
  // Counted from behind the name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 11 + count).reduce((sum, ticks) => sum + Number(ticks), 0)
}

/** Memory of everything below a process. Needs root, or the same user. */
export function memoryBelow(pid: number): ProcessMemory[] {
  return childrenOf(pid).flatMap((child) => {
    const kilobytes = Number(/^Pss:\s+(\d+) kB/m.exec(readOrNothing(`/proc/${child}/smaps_rollup`))?.[1] ?? Number.NaN)
    const one = { pid: child, parent: pid, program: programOf(child), pssBytes: kilobytes * 1024 }
    return [one, ...memoryBelow(child)]
  })
}

function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).split('/').at(-1) ?? ''
  } catch {
    return ''
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
