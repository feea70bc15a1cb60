import type { OutcomeDraft } from '../audit/index.ts'
import type { Caller, Digest, JsonObject } from '../kernel/index.ts'
import type { ForcedProfile } from '../policy/index.ts'
import type { Effect, RequestFacts } from './effect.ts'
import type { CallTool } from './call-tool.ts'

/** An effect that was decided, with the arguments that were checked. */
export interface Invocation {
  readonly namespace: string
  readonly call: string
  readonly run: string
  readonly caller: Caller
  readonly effect: Effect
  readonly facts: RequestFacts
  /** How many calls wait for this one, one inside the other; 0 for an agent's own. */
  readonly depth: number
  /** The sandbox profile that a policy forces; `null` where none does. What cannot use it must refuse. */
  readonly profile: ForcedProfile | null
}

/** The caller's side of a running call. Dropped silently when the caller is gone. */
export interface InvocationEvents {
  /** Aborted when the caller disconnects or cancels. */
  readonly signal: AbortSignal
  log(level: string, data: unknown, logger?: string): void
  progress(progress: number, total: number | null, message: string | null): void
}

/** How an invocation ended. */
export type ActOutcome = ActFacts &
  /** `result` is the MCP result of the method (CallToolResult, ReadResourceResult, ...) or a management answer. */
  (
    | { readonly status: 'ok'; readonly result: JsonObject }
    /** The tool failed in its own terms; `result` is a CallToolResult with `isError`. */
    | { readonly status: 'tool-error'; readonly result: JsonObject; readonly detail: string | null }
    | { readonly status: 'timeout' | 'killed' | 'limit'; readonly result: JsonObject; readonly detail: string }
    /** The tool needs something from the client first (`inputRequests` of MCP 2026-07-28). */
    | { readonly status: 'input-required'; readonly inputRequests: JsonObject; readonly state: string | null }
    /** The backend refuses in protocol terms; `rpcCode` is a JSON-RPC code. */
    | {
        readonly status: 'protocol-error'
        readonly rpcCode: number
        readonly message: string
        readonly data: JsonObject | null
      }
  )

/** Facts about the act for the outcome record. */
export interface ActFacts {
  readonly resources?: NonNullable<OutcomeDraft['outcome']['resources']>
  /** Of code whose process ended by itself. */
  readonly exitCode?: number
  /** What the code printed, for its owner: kept with the output's body, never sent to the caller. */
  readonly printed?: { readonly stdout: string; readonly stderr: string }
  /** What the kernel told of the jail that code ran in, and what that says of it. Absent where no code got into one. */
  readonly jail?: {
    readonly evidence: NonNullable<OutcomeDraft['outcome']['jail']>
    readonly checks: OutcomeDraft['outcome']['invariants']
  }
  readonly sandbox?: { readonly engine: string; readonly profile: string; readonly profileHash: Digest }
}

/**
 * What stands behind a catalogue entry: one version of a hosted function, an upstream server, the management operations.
 * The entry that was decided on names its backend, so that a newer version is never run under an older decision.
 */
export interface Backend {
  /** `callTool` is the only way in which what runs here may reach other tools; of no use once this has settled. */
  act(invocation: Invocation, events: InvocationEvents, callTool: CallTool): Promise<ActOutcome>
}
