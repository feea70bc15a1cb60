import type { SandboxLimits } from './sandbox.ts'

/** The smaller of two sets of bounds, one by one. */
export function lowered(limits: SandboxLimits, ceilings: SandboxLimits): SandboxLimits {
  return {
    wallMs: Math.min(limits.wallMs, ceilings.wallMs),
    cpuMs: Math.min(limits.cpuMs, ceilings.cpuMs),
    memoryBytes: Math.min(limits.memoryBytes, ceilings.memoryBytes),
    processes: Math.min(limits.processes, ceilings.processes),
    openFiles: Math.min(limits.openFiles, ceilings.openFiles),
    scratchBytes: Math.min(limits.scratchBytes, ceilings.scratchBytes),
    resultBytes: Math.min(limits.resultBytes, ceilings.resultBytes),
    outputBytes: Math.min(limits.outputBytes, ceilings.outputBytes),
    innerCalls: Math.min(limits.innerCalls, ceilings.innerCalls),
  }
}
