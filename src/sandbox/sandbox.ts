import type { Digest } from '../kernel/index.ts'
import type { JailEvidence } from './evidence/jail-evidence.ts'

/** Languages that hosted code can be written in. */
export type Runtime = 'python' | 'typescript'

/** Upper bounds of one execution. Each breach is named in the outcome. */
export interface SandboxLimits {
  readonly wallMs: number
  readonly cpuMs: number
  readonly memoryBytes: number
  readonly processes: number
  readonly openFiles: number
  /** Size of the writable tmpfs. */
  readonly scratchBytes: number
  /** Size of the returned JSON. */
  readonly resultBytes: number
  /** stdout and stderr together; what is beyond is dropped and counted. */
  readonly outputBytes: number
  /** Calls of other tools that one execution may make. */
  readonly innerCalls: number
}

/** One execution. */
export interface SandboxSpec {
  /** Unique; names the execution in logs. */
  readonly id: string
  readonly runtime: Runtime
  /**
   * Files of the function, by relative path. Copied into the jail, marked read-only, in the working directory and where
   * the runtime imports from. Code may change its copy; that is gone with the jail.
   */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** The module file and the exported function to call. */
  readonly entry: { readonly file: string; readonly name: string }
  /** JSON text handed to the function as its one argument. */
  readonly inputJson: string
  readonly limits: SandboxLimits
  /**
   * Executions that wait for this one, one inside the other; 0 where it is left out. Each depth has places of its own, so
   * that an execution never waits for a place that one waiting for it holds.
   */
  readonly depth?: number
  /**
   * Under the profile `strict`: a jail and an interpreter made anew for this execution alone, in any mode, and the tighter
   * bounds of the configuration. False where it is left out.
   */
  readonly isStrict?: boolean
}

/** Limits that can be reached. */
export type LimitName =
  | 'wall'
  | 'cpu'
  | 'memory'
  | 'processes'
  | 'open-files'
  | 'scratch'
  | 'result'
  | 'output'
  | 'inner-calls'

/** What an execution used, as the kernel tells it. Zero where it could not be read. */
export interface SandboxUsage {
  readonly wallMs: number
  readonly cpuMs: number
  readonly maxRssBytes: number
  /** All memory on the jail's account, files in its tmpfs too. Only where it has a cgroup. */
  readonly peakMemoryBytes?: number
  /** The most processes and threads at once. Never too high. Only where the jail has a cgroup. */
  readonly peakProcesses?: number
  /** Bytes that its system calls read and wrote with the code, as of the last look. Absent where it ended before the first. */
  readonly readBytes?: number
  readonly writtenBytes?: number
}

/**
 * How an execution ended. All text in it comes from hostile code and is bounded. Code can feign an end of its own (a
 * result, an error, an exit that looks like a signal), never one of another execution, and it cannot put off a real limit.
 */
export type SandboxOutcome = SandboxFacts &
  (
    | { readonly status: 'ok'; readonly resultJson: string }
    /** The function threw; `trace` names only the function's own files. */
    | { readonly status: 'exception'; readonly kind: string; readonly message: string; readonly trace: string }
    /** The function's code could not be loaded, has no such entry, or returned what JSON cannot carry. */
    | { readonly status: 'invalid'; readonly message: string }
    | { readonly status: 'limit'; readonly limit: LimitName; readonly message: string }
    /** Ended by a signal that no limit explains (`SIGSYS`: the system-call filter), by cancellation, or by loss of the executor. */
    | {
        readonly status: 'killed'
        readonly reason: 'cancelled' | 'filter' | 'signal' | 'executor-lost'
        readonly message: string
      }
    /** Nothing was run. */
    | { readonly status: 'unavailable'; readonly message: string }
  )

/** Facts that every outcome carries. */
export interface SandboxFacts {
  readonly engine: string
  readonly profile: string
  readonly profileHash: Digest
  readonly usage: SandboxUsage
  /**
   * 0-255, and 128 + n for signal n. Only where the process of the code ended before anything was decided: of one that the
   * sandbox ended it would tell nothing. Code can choose it.
   */
  readonly exitCode?: number
  /** What the kernel told of the jail; absent where no code got into one. */
  readonly evidence?: JailEvidence
  readonly stdout: string
  readonly stderr: string
  /** Bytes of stdout and stderr dropped beyond the limit. */
  readonly droppedBytes: number
}

/** What a running execution may send out while it runs. */
export interface SandboxEvents {
  /** Kills the execution; the outcome is `killed`, `cancelled`. */
  readonly signal?: AbortSignal
  /** Texts are hostile. At most 2000 logs and progress reports of one execution are passed on; the rest is dropped. */
  readonly onLog?: (level: 'debug' | 'info' | 'warning' | 'error', text: string) => void
  readonly onProgress?: (progress: number, total: number | null, message: string | null) => void
  /**
   * Makes a call of another tool that the code asks for. At most 16 of one execution are under way at once, and at most
   * `limits.innerCalls` are made. Where this is left out every such call is refused, and the code is told so.
   */
  readonly onCall?: (call: InnerCall) => Promise<InnerAnswer>
}

/** A call of another tool that hosted code asks for. The name and the arguments are hostile; who may call what is not checked. */
export interface InnerCall {
  readonly tool: string
  /** JSON text of at most 1 MiB, nested at most 128 deep; not necessarily of an object. */
  readonly argumentsJson: string
  /** Aborted when the execution ends: nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** How such a call ended. A result of more than 1 MiB is refused on its way. */
export type InnerAnswer =
  | { readonly ok: true; readonly resultJson: string }
  /** Raised in the code as a `ToolError`. */
  | { readonly ok: false; readonly code: string; readonly message: string }

/** The port that runs code. Never rejects for what hosted code does; only for a bug here. */
export interface Sandbox {
  run(spec: SandboxSpec, events?: SandboxEvents): Promise<SandboxOutcome>
  /** What is in use, for `doctor`, `/healthz` and the records. */
  describe(): SandboxDescription
  /** False while there is no executor: a call then ends as `unavailable`, and the executor is being started again. */
  isReady(): boolean
  /** Kills every execution and the executor with it. */
  close(): Promise<void>
}

/** The engine in use and the result of its self-test at start. */
export interface SandboxDescription {
  readonly engine: string
  readonly version: string
  /** The profile that code of each runtime gets; `null` where no engine runs. */
  readonly profiles: Readonly<Record<Runtime, { readonly name: string; readonly hash: Digest }>> | null
  /** The same under the profile `strict`. Its hash covers the bounds too. */
  readonly strictProfiles: SandboxDescription['profiles']
  /** Whether each jail has a cgroup, so that its bounds are exact; if not, why, and what would change that. */
  readonly cgroups:
    | { readonly inUse: true; readonly detail: string }
    | { readonly inUse: false; readonly reason: string; readonly remedy: string | null }
  readonly checks: readonly {
    readonly id: string
    readonly ok: boolean
    readonly expected: string
    readonly got: string
  }[]
}
