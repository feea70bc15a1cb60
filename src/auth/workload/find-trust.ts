import type { JsonObject } from '../../kernel/index.ts'
import type { AssertionKind } from './assertion.ts'
import { trustDomainOf } from './spiffe-id.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** Which trusted issuer an assertion says that it is of, and what it is; or why neither is to be taken. */
export type TrustOutcome =
  | { readonly ok: true; readonly issuer: WorkloadIssuer; readonly kind: AssertionKind }
  | { readonly ok: false; readonly code: 'refused'; readonly reason: string }

/** Judges header and claims before the signature is looked at. What passes is still a stranger's word. */
export type FindTrust = (header: JsonObject, claims: JsonObject) => TrustOutcome

const jagType = 'oauth-id-jag+jwt'
const workloadTypes = new Set(['', 'jwt', 'jose'])

/** Looks issuers up by their exact identifier, or by the trust domain of a JWT-SVID without `iss`. */
export function createFindTrust(issuers: readonly WorkloadIssuer[]): FindTrust {
  const byIdentifier = new Map(issuers.map((issuer) => [issuer.issuer, issuer]))
  const byTrustDomain = new Map(
    issuers.flatMap((issuer) => (issuer.trustDomain === null ? [] : [[issuer.trustDomain, issuer] as const])),
  )

  /** A JWT-SVID need not have `iss`: its trust domain is in `sub` (JWT-SVID section 3). */
  function trusted({ iss, sub }: JsonObject): WorkloadIssuer | undefined {
    if (typeof iss === 'string') return byIdentifier.get(iss)
    const domain = iss === undefined && typeof sub === 'string' ? trustDomainOf(sub) : null
    return domain === null ? undefined : byTrustDomain.get(domain)
  }

  return (header, claims) => {
    const issuer = trusted(claims)
    if (issuer === undefined) return refused('the issuer is not trusted')
    // Nothing that it could name is understood here (RFC 7515 section 4.1.11).
    if (header['crit'] !== undefined) return refused('crit asks for an extension')
    const kind = kindOf(header)
    if (kind === null) return refused('typ is that of another kind of token')
    if (!issuer.accepts.includes(kind)) return refused(`the issuer is not trusted for ${kind} assertions`)
    if (typeof header['alg'] !== 'string' || !issuer.algorithms.includes(header['alg']))
      return refused('alg is not one of the issuer')
    return { ok: true, issuer, kind }
  }
}

function refused(reason: string): TrustOutcome {
  return { ok: false, code: 'refused', reason }
}

/** RFC 8725 section 3.11: a token made for something else is not taken because it happens to be signed. */
function kindOf(header: JsonObject): AssertionKind | null {
  const { typ } = header
  if (typ !== undefined && typeof typ !== 'string') return null
  const type = (typ ?? '').toLowerCase().replace(/^application\//, '')
  if (type === jagType) return 'id-jag'
  return workloadTypes.has(type) ? 'workload' : null
}
