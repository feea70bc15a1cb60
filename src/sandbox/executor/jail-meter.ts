import { processCpuMs, processFacts, type ProcessFacts } from './process-facts.ts'

/** Tells what a jail uses, as this kernel sees it. */
export interface JailMeter {
  /** `null` once it is gone. */
  facts(): ProcessFacts | null
  /** Processor time of all that runs in it, in milliseconds. */
  cpuMs(): number | null
}

/** The meter of a jail that is one process of this kernel. */
export function processMeter(pid: number): JailMeter {
  return {
    facts: () => processFacts(pid),
    cpuMs: () => processCpuMs(pid),
  }
}
