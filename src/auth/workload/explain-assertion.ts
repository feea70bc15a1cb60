import type { JsonObject } from '../../kernel/index.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import type { AssertionKind } from './assertion.ts'
import { checkClaims } from './check-claims.ts'
import { createFindTrust } from './find-trust.ts'
import { chooseBinding, judgeBindings, type BindingVerdict } from './match-bindings.ts'
import { ownAudiences, type ServerIdentity } from './own-audiences.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** What would become of an assertion, for the operator. Its signature was not looked at: this proves nothing. */
export interface AssertionExplanation {
  readonly kind: AssertionKind | null
  readonly issuer: string | null
  /** What is wrong with header and claims; `null` where nothing is. */
  readonly problem: string | null
  /** By every binding that names the issuer, the nearest first. */
  readonly verdicts: readonly BindingVerdict[]
  /** Whose it would be; `null` where no binding matches or those of several agents do. */
  readonly match: ActiveCredential | null
  /** Why it would be nobody's. */
  readonly mismatch: string | null
}

/**
 * Judges header and claims of an assertion as the token endpoint would, without its signature, and without marking it
 * as used.
 */
export function explainAssertion(
  { header, claims }: { readonly header: JsonObject; readonly claims: JsonObject },
  issuers: readonly WorkloadIssuer[],
  bindings: readonly ActiveCredential[],
  here: ServerIdentity,
  nowMs: number,
): AssertionExplanation {
  const trust = createFindTrust(issuers)(header, claims)
  if (!trust.ok) return { kind: null, issuer: null, problem: trust.reason, verdicts: [], match: null, mismatch: null }
  const { issuer, kind } = trust
  const checked = checkClaims(claims, issuer, kind, ownAudiences(kind, here), nowMs)
  const choice = chooseBinding(issuer.issuer, claims, bindings)
  return {
    kind,
    issuer: issuer.issuer,
    problem: checked.ok ? null : checked.reason,
    verdicts: judgeBindings(issuer.issuer, claims, bindings).sort((a, b) => a.mismatches.length - b.mismatches.length),
    match: choice.ok ? choice.binding : null,
    mismatch: choice.ok ? null : choice.reason,
  }
}
