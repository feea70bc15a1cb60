import type { JsonObject, SecretText } from '../kernel/index.ts'

/** What a caller asks for. Everything that has an effect, or shows something, is one of these. */
export type Effect =
  | { readonly kind: 'call'; readonly tool: string; readonly arguments: JsonObject; readonly resume: Resume | null }
  | { readonly kind: 'read'; readonly uri: string; readonly resume: Resume | null }
  | { readonly kind: 'prompt'; readonly name: string; readonly arguments: JsonObject; readonly resume: Resume | null }
  | {
      readonly kind: 'complete'
      readonly ref: JsonObject
      readonly argument: JsonObject
      readonly context: JsonObject | null
    }
  | {
      readonly kind: 'manage'
      readonly operation: string
      readonly arguments: JsonObject
      /** What of the input is a secret. It goes to the backend only: records and policy see the arguments. */
      readonly secret?: SecretText
    }
  | { readonly kind: 'audit'; readonly operation: string; readonly arguments: JsonObject }
  /** A person decides on a call of somebody else that waits. `arguments.approval` names the request. */
  | { readonly kind: 'approve'; readonly operation: string; readonly arguments: JsonObject }

/** A later round of a multi-round-trip request (MCP 2026-07-28 `input_required`). */
export interface Resume {
  readonly inputResponses: JsonObject
  /** The backend's own state, after the seal was opened and found good. */
  readonly state: string | null
}

/** The protocol facts of a request, for the record. */
export interface RequestFacts {
  readonly method: string
  readonly protocolVersion: string | null
  readonly requestId: string | null
  /** From `params._meta.traceparent` (SEP-414). */
  readonly trace: string | null
  /** Client capabilities as declared; a backend may ask only for what is there. */
  readonly clientCapabilities: JsonObject
  /** Bytes of the request's body; absent where there was none. */
  readonly bodyBytes?: number
}
