import type { SetupMessage } from '../protocol/runner-messages.ts'
import type { Runtime, SandboxLimits } from '../sandbox.ts'

/** `RLIMIT_*` numbers of asm-generic/resource.h, the same on x86_64 and aarch64. RLIMIT_DATA (2) is reckoned by the runner. */
const resource = {
  cpu: 0,
  fileSize: 1,
  core: 4,
  processes: 6,
  openFiles: 7,
  lockedMemory: 8,
  addressSpace: 9,
  waitingSignals: 11,
  messageQueues: 12,
} as const

/** Threads and descriptors of the runtime itself, on top of which the function's own are counted. */
const runtimeShare: Readonly<Record<Runtime, { readonly threads: number; readonly files: number }>> = {
  python: { threads: 1, files: 8 },
  typescript: { threads: 24, files: 32 },
}

const mebibyte = 1024 * 1024

/** The user's, whose bound is that of all jails together, shall be enough for a thousand of them on most machines. */
const maxWaitingSignals = 64

/** Threads that an execution may have in all, its runtime's included. */
export function threadCeiling(runtime: Runtime, limits: SandboxLimits): number {
  return runtimeShare[runtime].threads + limits.processes
}

/**
 * The limits that a runner puts on itself before it is sealed. They are the floor: the watch in the executor names a
 * breach sooner and counts better, and these hold should it fall behind.
 */
export function runnerSetup(
  runtime: Runtime,
  limits: SandboxLimits,
  seccompNumber: number,
  nonce: string,
  kernel: 'host' | 'guest' = 'host',
): SetupMessage {
  const share = runtimeShare[runtime]
  const bounds: [number, number][] = [
    // Whole seconds is all the kernel takes; start-up has used some of them.
    [resource.cpu, Math.ceil(limits.cpuMs / 1000) + 2],
    [resource.fileSize, limits.scratchBytes],
    [resource.core, 0],
    [resource.processes, threadCeiling(runtime, limits)],
    [resource.openFiles, share.files + limits.openFiles],
    [resource.lockedMemory, 0],
  ]
  // gVisor knows no such limits and refuses to be given them. The filter kills who makes a message queue.
  if (kernel === 'host') bounds.push([resource.messageQueues, 0], [resource.waitingSignals, maxWaitingSignals])
  // Page tables of untouched reservations are memory too. Bun reserves far too much for a useful bound; the watch counts them.
  if (runtime === 'python') bounds.push([resource.addressSpace, limits.memoryBytes + 1024 * mebibyte])
  return { limits: bounds, dataBytes: limits.memoryBytes, seccompNumber, nonce }
}
