import { quantile } from './measurement.ts'
import type { ProcessMemory } from './process-tree.ts'
import type { IdleMemory } from './goals.ts'

/**
 * What one waiting jail holds: the runtime's process, and with Bun the process of the engine that keeps it. A waiting Python
 * child is a Python process below another one, its zygote. Medians over all that wait.
 */
export function idleMemory(processes: readonly ProcessMemory[]): IdleMemory {
  const byPid = new Map(processes.map((each) => [each.pid, each]))
  const isPython = (each: ProcessMemory | undefined): boolean => each?.program.startsWith('python') ?? false
  const children = processes.filter((each) => isPython(each) && isPython(byPid.get(each.parent)))
  const leaves = children.filter((each) => !processes.some((other) => other.parent === each.pid))
  const bun = processes.filter((each) => each.program === 'bun')
  const keeper = (each: ProcessMemory): number => {
    const parent = byPid.get(each.parent)
    return parent?.program === 'bwrap' || parent?.program === 'nsjail' ? parent.pssBytes : 0
  }
  return {
    pythonChildren: leaves.length,
    bunJails: bun.length,
    pythonChildBytes: medianOf(leaves.map((each) => each.pssBytes)),
    bunJailBytes: medianOf(bun.map((each) => each.pssBytes + keeper(each))),
  }
}

function medianOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : quantile(values, 0.5)
}
