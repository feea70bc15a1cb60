import type { Digest } from '../kernel/index.ts'
import type { PolicyDecision, PolicyRequest } from '../policy/index.ts'

/** A call that was decided, for policies that are tried beside those in force. */
export interface ObservedCall {
  readonly call: string
  readonly request: PolicyRequest
  /** `null` where the caller was answered that there is no such thing, and policy was not asked about the arguments. */
  readonly decision: PolicyDecision | null
  /** Of the definition that was decided on; `null` where there is none. */
  readonly definitionHash: Digest | null
  /** Bytes of the request's body; 0 where there was none. */
  readonly bodyBytes: number
}

/** Policies that are tried on each call and have no say. Told once the decision in force is durable; answers nothing. */
export interface ShadowWatch {
  /** Whether any are tried in the namespace. Where none are, nothing is prepared for them. */
  watches(namespace: string): boolean
  observe(observed: ObservedCall): void
}
