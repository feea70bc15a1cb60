import type { LimitName, SandboxLimits } from '../sandbox.ts'

const mebibyte = 1024 * 1024

/** The sentence that names a breached limit and its bound, as in "memory: 128 MiB reached". */
export function limitSentence(limit: LimitName, limits: SandboxLimits): string {
  switch (limit) {
    case 'wall':
      return `wall: ${String(limits.wallMs)} ms reached`
    case 'cpu':
      return `cpu: ${String(limits.cpuMs)} ms of processor time reached`
    case 'memory':
      return `memory: ${bytes(limits.memoryBytes)} reached`
    case 'processes':
      return `processes: ${String(limits.processes)} threads are the most, and no process may be started`
    case 'open-files':
      return `open-files: ${String(limits.openFiles)} reached`
    case 'scratch':
      return `scratch: ${bytes(limits.scratchBytes)} of files, or their number, reached`
    case 'result':
      return `result: more than ${bytes(limits.resultBytes)} returned`
    case 'output':
      return `output: a flood of output, logs or progress far beyond the ${bytes(limits.outputBytes)} that are kept`
    case 'inner-calls':
      return `inner-calls: ${String(limits.innerCalls)} reached`
  }
}

function bytes(count: number): string {
  return count >= mebibyte ? `${String(Math.floor(count / mebibyte))} MiB` : `${String(count)} bytes`
}
