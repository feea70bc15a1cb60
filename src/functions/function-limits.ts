import type { Runtime, SandboxLimits } from '../sandbox/index.ts'

const mebibyte = 1024 * 1024

/** What a function gets where its author says nothing. */
export function defaultLimits(runtime: Runtime): SandboxLimits {
  return {
    wallMs: 10_000,
    cpuMs: 10_000,
    // Bun reserves more address space than Python before the first line of the function runs.
    memoryBytes: (runtime === 'python' ? 256 : 512) * mebibyte,
    processes: 32,
    openFiles: 64,
    scratchBytes: 16 * mebibyte,
    resultBytes: mebibyte,
    outputBytes: 64 * 1024,
    innerCalls: 100,
  }
}

/** Lower and upper bound of what an author may ask for, inclusive. */
export const limitBounds: { readonly [Name in keyof SandboxLimits]: readonly [number, number] } = {
  wallMs: [10, 300_000],
  cpuMs: [10, 300_000],
  memoryBytes: [64 * mebibyte, 2048 * mebibyte],
  processes: [1, 128],
  openFiles: [16, 512],
  scratchBytes: [0, 256 * mebibyte],
  resultBytes: [64, 8 * mebibyte],
  outputBytes: [0, mebibyte],
  innerCalls: [0, 1000],
}
