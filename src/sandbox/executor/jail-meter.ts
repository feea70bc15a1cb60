import { processCpuMs, processFacts, sharedMemoryBytes, type ProcessFacts } from './process-facts.ts'

/** Tells what a jail uses, as this kernel sees it. */
export interface JailMeter {
  /** `null` once it is gone. */
  facts(): ProcessFacts | null
  /** Processor time of all that runs in it, in milliseconds. */
  cpuMs(): number | null
  /** Shared memory of no file that is mapped in it, in bytes; of no use where a cgroup counts what is really there. */
  sharedBytes(): number
}

/** The meter of a jail that is one process of this kernel. */
export function processMeter(pid: number): JailMeter {
  return {
    facts: () => processFacts(pid),
    cpuMs: () => processCpuMs(pid),
    sharedBytes: () => sharedMemoryBytes(pid),
  }
}
