import { readdirSync, readlinkSync, statSync } from 'node:fs'
import type { JailMeter } from '../executor/jail-meter.ts'
import { processCpuMs, processFacts } from '../executor/process-facts.ts'
import { childrenOf } from './host-pid.ts'

const blockBytes = 512
/** Threads of this kernel that gVisor has for a guest with one thread, and at the most for each further one. */
const idleThreads = 4
const threadsEach = 2

/**
 * The meter of a gVisor guest, by its keeper's process id. Memory is all that the guest has, its files in tmpfs and what
 * it has read of others included, and the keeper's own, some 6 MiB. Processor time is the keeper's and that of the
 * processes in which it lets the guest's code run. Of the guest's threads this kernel sees others, so that their number is
 * a guess: never too high, and half of the truth at the lowest.
 */
export function keeperMeter(keeper: number): JailMeter {
  let memoryPath: string | null = null
  const below = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...below(child)])
  return {
    facts() {
      memoryPath ??= guestMemory(keeper)
      const own = processFacts(keeper)
      const guestBytes = memoryPath === null ? null : sizeOf(memoryPath)
      if (own === null || guestBytes === null) return null
      const threads = below(keeper).reduce((sum, pid) => sum + (processFacts(pid)?.threads ?? 0), 0)
      const ownBytes = guestBytes + own.anonymousBytes
      return {
        ...own,
        ownBytes,
        peakRssBytes: ownBytes,
        threads: Math.max(0, Math.floor((threads - idleThreads) / threadsEach)),
      }
    },
    // A guest's calls are served in its keeper's memory.
    transfer: () => null,
    cpuMs() {
      return [keeper, ...below(keeper)].reduce((sum, pid) => sum + (processCpuMs(pid) ?? 0), 0)
    },
  }
}

/** The file in memory that is the guest's memory, as one of the keeper's descriptors; `null` where it has none. */
function guestMemory(keeper: number): string | null {
  const directory = `/proc/${String(keeper)}/fd`
  try {
    const found = readdirSync(directory).find((name) =>
      readlinkSync(`${directory}/${name}`).includes('memfd:runsc-memory'),
    )
    return found === undefined ? null : `${directory}/${found}`
  } catch {
    return null
  }
}

function sizeOf(path: string): number | null {
  try {
    return statSync(path).blocks * blockBytes
  } catch {
    return null
  }
}
