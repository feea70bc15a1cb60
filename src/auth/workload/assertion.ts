import type { JsonObject } from '../../kernel/index.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** Which kind of assertion: of a workload (SEP-1933), or about a person for a client (ID-JAG). */
export type AssertionKind = WorkloadIssuer['accepts'][number]

/** An assertion whose signature and claims were verified. Whose it is, is not decided here. */
export interface VerifiedAssertion {
  readonly kind: AssertionKind
  readonly issuer: WorkloadIssuer
  readonly claims: JsonObject
  readonly subject: string
  readonly expiresAtMs: number
  /** `jti` where the assertion is to be taken once only: whoever acts on it claims it first. */
  readonly singleUseId: string | null
}

/** The assertion, or why it is none to act on. */
export type AssertionOutcome =
  | { readonly ok: true; readonly assertion: VerifiedAssertion }
  | {
      readonly ok: false
      /** `unavailable` where the keys of a trusted issuer cannot be had. */
      readonly code: 'refused' | 'unavailable'
      /** In our words; nothing that was presented. */
      readonly reason: string
    }
