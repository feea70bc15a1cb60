import { compactVerify, decodeProtectedHeader, errors, type CompactVerifyGetKey } from 'jose'
import { isJsonObject, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { AssertionKind, AssertionOutcome } from './assertion.ts'
import { checkClaims } from './check-claims.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'
import { trustDomainOf } from './spiffe-id.ts'

/** Finds the key that an issuer signed with; `null` where its keys cannot be had. Throws as `jose` does where there is none. */
export type FindIssuerKeys = (issuer: WorkloadIssuer) => Promise<CompactVerifyGetKey | null>

/** What verification stands on. */
export interface AssertionPorts {
  readonly issuers: readonly WorkloadIssuer[]
  readonly findKeys: FindIssuerKeys
  readonly clock: Pick<Clock, 'nowMs'>
  /** Values of `aud` that mean this server, for each kind. */
  audiences(kind: AssertionKind): readonly string[]
}

/** Verifies assertions. */
export type VerifyAssertion = (text: string) => Promise<AssertionOutcome>

const maxLength = 16 * 1024
const jagType = 'oauth-id-jag+jwt'
const workloadTypes = new Set(['', 'jwt', 'jose'])

/**
 * Makes the verification of RFC 7523 section 3: a JWS of a listed issuer, with an algorithm listed for it, under a key
 * of that issuer found by `kid` alone, with `iss`, `sub`, `aud`, `exp`, `nbf`, `iat` and `jti` as they must be. Header
 * members that bring a key along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at, and `crit` refuses.
 *
 * Not checked: whose the assertion is (bindings), and whether it was used before (`singleUseId`).
 */
export function createVerifyAssertion({ issuers, findKeys, clock, audiences }: AssertionPorts): VerifyAssertion {
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

  return async (text) => {
    const read = readUnverified(text)
    if (read === null) return refused('not a signed JWT')
    const issuer = trusted(read.claims)
    if (issuer === undefined) return refused('the issuer is not trusted')
    if (read.header['crit'] !== undefined) return refused('crit asks for an extension')
    const kind = kindOf(read.header)
    if (kind === null) return refused('typ is that of another kind of token')
    if (!issuer.accepts.includes(kind)) return refused(`the issuer is not trusted for ${kind} assertions`)
    if (typeof read.header['alg'] !== 'string' || !issuer.algorithms.includes(read.header['alg']))
      return refused('alg is not one of the issuer')
    const keys = await findKeys(issuer)
    if (keys === null) return { ok: false, code: 'unavailable', reason: 'the keys of the issuer cannot be had' }
    const signature = await verifySignature(text, keys, issuer.algorithms)
    if (signature !== null) return signature
    const checked = checkClaims(read.claims, issuer, kind, audiences(kind), clock.nowMs())
    if (!checked.ok) return refused(checked.reason)
    return { ok: true, assertion: { kind, issuer, claims: read.claims, ...checked.facts } }
  }
}

function refused(reason: string): AssertionOutcome & { ok: false } {
  return { ok: false, code: 'refused', reason }
}

/** Header and claims before anything of them is believed. They are the bytes that the signature is over. */
function readUnverified(text: string): { header: JsonObject; claims: JsonObject } | null {
  if (text.length > maxLength || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) return null
  try {
    const header: unknown = decodeProtectedHeader(text)
    const payload = Buffer.from(text.split('.')[1] ?? '', 'base64url')
    const claims: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
    return isJsonObject(header) && isJsonObject(claims) ? { header, claims } : null
  } catch {
    return null
  }
}

/** RFC 8725 section 3.11: a token made for something else is not taken because it happens to be signed. */
function kindOf(header: JsonObject): AssertionKind | null {
  const { typ } = header
  if (typ !== undefined && typeof typ !== 'string') return null
  const type = (typ ?? '').toLowerCase().replace(/^application\//, '')
  if (type === jagType) return 'id-jag'
  return workloadTypes.has(type) ? 'workload' : null
}

/** `null` where the signature is good. */
async function verifySignature(
  text: string,
  keys: CompactVerifyGetKey,
  algorithms: readonly string[],
): Promise<(AssertionOutcome & { ok: false }) | null> {
  try {
    await compactVerify(text, keys, { algorithms: [...algorithms] })
    return null
  } catch (error) {
    if (error instanceof errors.JWKSTimeout)
      return { ok: false, code: 'unavailable', reason: 'the keys of the issuer cannot be had' }
    if (error instanceof errors.JWKSNoMatchingKey) return refused('no key of the issuer has this kid and alg')
    if (error instanceof errors.JWKSMultipleMatchingKeys) return refused('no kid, and several keys of the issuer fit')
    if (error instanceof errors.JOSEError) return refused('the signature is not good')
    throw error
  }
}
