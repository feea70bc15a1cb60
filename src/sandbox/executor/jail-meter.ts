import {
  processCpuMs,
  processFacts,
  processTransfer,
  type ProcessFacts,
  type ProcessTransfer,
} from './process-facts.ts'

/** Tells what a jail uses, as this kernel sees it. */
export interface JailMeter {
  /** `null` once it is gone. */
  facts(): ProcessFacts | null
  /** Processor time of all that runs in it, in milliseconds. */
  cpuMs(): number | null
  /** What its system calls have read and written; `null` once it is gone, or where this kernel does not count it. */
  transfer(): ProcessTransfer | null
}

/** The meter of a jail that is one process of this kernel. */
export function processMeter(pid: number): JailMeter {
  return {
    facts: () => processFacts(pid),
    cpuMs: () => processCpuMs(pid),
    transfer: () => processTransfer(pid),
  }
}
