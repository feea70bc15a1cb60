import { readdirSync, readFileSync } from 'node:fs'

const deepest = 4

/** Ids of the processes that one has started and that are there, in all its threads. */
export function childrenOf(pid: number): number[] {
  const directory = `/proc/${String(pid)}/task`
  return threadsOf(directory).flatMap((thread) =>
    read(`${directory}/${thread}/children`)
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  )
}

/**
 * Finds the process below `root` that is number `inner` in a process namespace directly below this process's, and
 * answers its number here. `null` where there is none. Looks at most four generations down.
 */
export function hostPidOf(inner: number, root: number): number | null {
  let generation = [root]
  for (let depth = 0; depth < deepest; depth += 1) {
    generation = generation.flatMap(childrenOf)
    const found = generation.find((pid) => numberInside(pid) === inner)
    if (found !== undefined) return found
  }
  return null
}

/** A process's number one namespace further in. */
function numberInside(pid: number): number | null {
  const numbers = /^NSpid:\s+\d+\s+(\d+)/m.exec(read(`/proc/${String(pid)}/status`))
  return numbers === null ? null : Number(numbers[1])
}

function threadsOf(directory: string): string[] {
  try {
    return readdirSync(directory)
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- a process that is gone has no children
  } catch {
    return []
  }
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
    // oxlint-disable-next-line mcpworks/catch-fails-closed -- a process that is gone is nobody's; without a number nothing is run
  } catch {
    return ''
  }
}
