import type { JsonObject } from '../kernel/index.ts'

/** What the caller is told of asking a person. Nothing of who that is. */
export interface ApprovalNotice {
  /** `null` where nobody was asked. */
  readonly id: string | null
  readonly status: 'pending' | 'denied' | 'refused'
  /** Until when somebody may decide, or the denial holds; `null` where nobody was asked. */
  readonly expiresAtMs: number | null
  /** What there is to do now. */
  readonly sentence: string
}

/** What the caller gets. `call` is the id for `mcpworks why`. */
export type GatewayAnswer =
  | { readonly status: 'ok'; readonly call: string; readonly result: JsonObject }
  | {
      readonly status: 'input-required'
      readonly call: string
      readonly inputRequests: JsonObject
      readonly state: string | null
    }
  /** Refused by policy, visibly: the caller may know that the target exists. */
  | {
      readonly status: 'denied'
      readonly call: string
      readonly message: string
      readonly rules: readonly string[]
      readonly remedy: string | null
      /** Whole seconds after which the same call would be allowed; only where what was used is the reason. */
      readonly retryAfterSeconds?: number
      /** Where a person can change it, or could. */
      readonly approval?: ApprovalNotice
    }
  /** Unknown, or not for this caller: the two are not told apart. */
  | { readonly status: 'unknown'; readonly call: string; readonly message: string }
  | {
      readonly status: 'invalid'
      readonly call: string
      readonly message: string
      readonly problems: readonly { readonly path: string; readonly message: string }[]
    }
  | {
      readonly status: 'protocol-error'
      readonly call: string
      readonly rpcCode: number
      readonly message: string
      readonly data: JsonObject | null
    }
  /** A step could not do its work: nothing was run, or the output is withheld. `credential_invalid`: revoked since the door. */
  | {
      readonly status: 'unavailable'
      readonly call: string
      readonly code:
        | 'credential_invalid'
        | 'audit_unavailable'
        | 'sandbox_unavailable'
        | 'storage_unavailable'
        | 'overloaded'
        | 'rate_limited'
        | 'internal'
      readonly message: string
      /** Whole seconds after which to try again; only with `rate_limited`. */
      readonly retryAfterSeconds?: number
    }
