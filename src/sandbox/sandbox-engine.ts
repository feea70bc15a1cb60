import type { SandboxEvents, SandboxOutcome, SandboxSpec } from './sandbox.ts'

/** One way of making a jail. Lives in the executor process, never in the server. */
export interface SandboxEngine {
  readonly name: string
  /** Whether the engine can be used on this machine; a reason and the command that would help if not. */
  probe(): Promise<
    | { readonly ok: true; readonly version: string }
    | { readonly ok: false; readonly reason: string; readonly remedy: string }
  >
  run(spec: SandboxSpec, events: SandboxEvents): Promise<SandboxOutcome>
}
