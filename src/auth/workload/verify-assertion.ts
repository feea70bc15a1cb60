import type { Clock } from '../../kernel/index.ts'
import type { KeySet } from '../resource-server/key-set.ts'
import { readJws, type Jws } from '../signatures/read-jws.ts'
import { isSignatureAlgorithm, isSignatureGood } from '../signatures/signature-algorithm.ts'
import type { AssertionOutcome } from './assertion.ts'
import { checkClaims } from './check-claims.ts'
import { createFindTrust } from './find-trust.ts'
import { ownAudiences, type ServerIdentity } from './own-audiences.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** What verification stands on. */
export interface AssertionPorts {
  readonly issuers: readonly WorkloadIssuer[]
  readonly keysOf: (issuer: WorkloadIssuer) => KeySet
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Verifies assertions that are sent to this server at `here`. */
export type VerifyAssertion = (text: string, here: ServerIdentity) => Promise<AssertionOutcome>

/**
 * Makes the verification of RFC 7523 section 3: a JWS of a listed issuer, with an algorithm listed for it, under a key
 * of that issuer found by `kid` alone, with `iss`, `sub`, `aud`, `exp`, `nbf`, `iat` and `jti` as they must be. Header
 * members that bring a key along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at, and `crit` refuses.
 *
 * Not checked: whose the assertion is (bindings), and whether it was used before (`singleUseId`).
 */
export function createVerifyAssertion({ issuers, keysOf, clock }: AssertionPorts): VerifyAssertion {
  const findTrust = createFindTrust(issuers)
  return async (text, here) => {
    const jws = readJws(text)
    if (jws === null) return refused('not a signed JWT')
    const { header, claims } = jws
    const trust = findTrust(header, claims)
    if (!trust.ok) return trust
    const { issuer, kind } = trust
    const signature = await checkSignature(jws, keysOf(issuer))
    if (signature !== null) return signature
    const checked = checkClaims(claims, issuer, kind, ownAudiences(kind, here), clock.nowMs())
    if (!checked.ok) return refused(checked.reason)
    return { ok: true, assertion: { kind, issuer, claims, ...checked.facts } }
  }
}

/** `null` where the signature is good. */
async function checkSignature(
  { header, signed, signature }: Jws,
  keys: KeySet,
): Promise<(AssertionOutcome & { ok: false }) | null> {
  const { alg, kid } = header
  if (!isSignatureAlgorithm(alg)) return refused('alg is no signature with a public key')
  if (kid !== undefined && typeof kid !== 'string') return refused('kid is no text')
  const found = await keys.find(kid ?? null, alg)
  if (!found.ok && found.why === 'unavailable')
    return { ok: false, code: 'unavailable', reason: 'the keys of the issuer cannot be had' }
  if (!found.ok) return refused('no key of the issuer has this kid and alg, or several have')
  return isSignatureGood(alg, found.key, signed, signature) ? null : refused('the signature is not good')
}

function refused(reason: string): AssertionOutcome & { ok: false } {
  return { ok: false, code: 'refused', reason }
}
