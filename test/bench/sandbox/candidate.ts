import { setTimeout as pause } from 'node:timers/promises'
import { defaultLimits } from '../../../src/functions/function-limits.ts'
import { sandboxConfigSchema, startSandbox, type Sandbox, type SandboxSpec } from '../../../src/sandbox/index.ts'
import type { CpuParts, Measured, Measurement } from './measurement.ts'
import { childrenOf, memoryBelow, ownCpuMs, treeCpuMs, type ProcessMemory } from './process-tree.ts'

/** A function that is called, and the JSON that each call must answer with. */
export interface Program {
  readonly runtime: SandboxSpec['runtime']
  readonly file: string
  readonly source: string
  readonly expected: string
}

/** A sandbox of a given configuration, through the port that the product uses. */
export class Candidate {
  readonly #sandbox: Sandbox
  readonly #executorPid: number

  private constructor(sandbox: Sandbox, executorPid: number) {
    this.#sandbox = sandbox
    this.#executorPid = executorPid
  }

  /** @throws McpworksError `sandbox_unavailable` where the configuration cannot be had on this machine */
  static async start(config: object): Promise<Candidate> {
    const before = new Set(childrenOf(process.pid))
    const sandbox = await startSandbox(sandboxConfigSchema.parse(config))
    const [executorPid] = childrenOf(process.pid).filter((pid) => !before.has(pid))
    if (executorPid === undefined) throw new Error('the executor is not found below this process')
    return new Candidate(sandbox, executorPid)
  }

  get engine(): string {
    const { engine, version } = this.#sandbox.describe()
    return `${engine} ${version}`
  }

  /** @throws Error where one call ends with anything but what the program must answer */
  async measure(program: Program, measurement: Measurement): Promise<Measured> {
    const { callers, seconds, leastCalls, mostCalls, pauseMs = 0 } = measurement
    const timesMs: number[] = []
    const before = this.#cpuParts()
    const begun = performance.now()
    const isEnough = (): boolean =>
      timesMs.length >= mostCalls || (timesMs.length >= leastCalls && performance.now() - begun >= seconds * 1000)
    const call = async (): Promise<void> => {
      while (!isEnough()) {
        timesMs.push(await this.callOnce(program))
        if (pauseMs > 0) await pause(pauseMs)
      }
    }
    await Promise.all(Array.from({ length: callers }, call))
    const elapsedMs = performance.now() - begun
    const after = this.#cpuParts()
    const server = after.server - before.server
    const executor = after.executor - before.executor
    const jails = after.jails - before.jails
    const cpuParts = { server, executor, jails }
    return { timesMs, elapsedMs, cpuMs: server + executor + jails, cpuParts }
  }

  /** Milliseconds of one call. */
  async callOnce({ runtime, file, source, expected }: Program): Promise<number> {
    const spec: SandboxSpec = {
      id: 'bench',
      runtime,
      files: new Map([[file, Buffer.from(source)]]),
      entry: { file, name: 'main' },
      inputJson: '{}',
      // A busy machine must not end a call that is measured.
      limits: { ...defaultLimits(runtime), wallMs: 60_000, cpuMs: 60_000 },
    }
    const before = performance.now()
    const outcome = await this.#sandbox.run(spec)
    const took = performance.now() - before
    if (outcome.status !== 'ok' || outcome.resultJson !== expected) throw new Error(JSON.stringify(outcome))
    return took
  }

  /** What is below the executor at this moment. */
  memory(): ProcessMemory[] {
    return memoryBelow(this.#executorPid)
  }

  async close(): Promise<void> {
    await this.#sandbox.close()
  }

  /** Processor time of this process, which is the server here, of the executor, and of all below it. */
  #cpuParts(): CpuParts {
    const { user, system } = process.cpuUsage()
    const executor = ownCpuMs(this.#executorPid)
    return { server: (user + system) / 1000, executor, jails: treeCpuMs(this.#executorPid) - executor }
  }
}
