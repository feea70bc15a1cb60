import type { Duplex, Readable } from 'node:stream'
import type { Digest } from '../kernel/index.ts'
import type { ConfiningGroup } from './cgroup/confining-group.ts'
import type { Runtime, SandboxLimits } from './sandbox.ts'

/** One way of making a jail. Lives in the executor process, never in the server. */
export interface SandboxEngine {
  /** As told in records and tables: `bubblewrap`, `nsjail`, `crun`, `runsc`. */
  readonly name: string
  /**
   * `host`: jailed processes are processes of this kernel, and `/proc/<pid>/status` tells that they are sealed.
   * `guest`: they are those of a kernel of the engine's own, of which this kernel sees only the keeper.
   */
  readonly kernel: 'host' | 'guest'
  /** Paths in each of its jails beside what the layout shows; none where it is absent. */
  readonly adds?: readonly string[]
  /** Whether the engine can be used on this machine; a reason and the command that would help if not. */
  probe(): Promise<EngineProbe>
  /**
   * Makes a new jail with a runner in it. The runner waits for its `setup` frame and has received nothing yet.
   * Does not wait for the runner; a jail that could not be made ends without a `ready` frame, its reason on stderr.
   * A promise may reject, with an error that says why there is no jail.
   */
  start(order: JailOrder): Jail | Promise<Jail>
  /** What a jail of this engine for this runtime is: the name and hash that go into the record. */
  profile(runtime: Runtime): { readonly name: string; readonly hash: Digest }
  /** Its jails bring their `group`. */
  readonly bringsGroups?: boolean
  /** Ends what the engine holds beside its jails. Jails are ended by their `kill`. */
  close(): Promise<void>
}

/** The answer of a probe. */
export type EngineProbe =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly reason: string; readonly remedy: string }

/** What differs from jail to jail. Two executions with equal orders may get jails made in advance. */
export interface JailOrder {
  readonly runtime: Runtime
  /** Size of the tmpfs that the function's files are put on. */
  readonly codeBytes: number
  /** Size of the tmpfs at /tmp. */
  readonly scratchBytes: number
  /** For engines that can hold a limit themselves, beside the runner's own limits and the watch. */
  readonly limits: SandboxLimits
}

/** A jail: used for one execution, never again. */
export interface Jail {
  /** The runner's channel. Everything that comes out of it is hostile. */
  readonly channel: Duplex
  readonly stdout: Readable
  readonly stderr: Readable
  /** Id of the first process inside, as this process sees it; `null` if the jail ended before it had one. */
  readonly pid: Promise<number | null>
  /** Settles when every process of the jail is gone and its streams are read to the end. */
  readonly ended: Promise<JailEnd>
  /** Kills every process of the jail. May be called at any time and more than once. */
  kill(): void
  /** What confines the jail, where the engine sees to that itself; `null` where there are no groups. */
  readonly group?: ConfiningGroup | null
  /** Sets the limits that can only be set from outside, once the runtime has started; throws where the process is gone. */
  bindMemory?(pid: number): void
}

/** How the first process of a jail ended. */
export interface JailEnd {
  /** As the kernel told it, 128 + n for signal n; `null` where nobody is left who was told, as after some kills. */
  readonly exitCode: number | null
  /** Of the whole life of the process, where the engine was told by the kernel. */
  readonly usage?: { readonly cpuMs: number; readonly maxRssBytes: number }
}
