import { compactVerify, decodeProtectedHeader, errors, type CompactVerifyGetKey } from 'jose'
import { isJsonObject, type Clock, type JsonObject } from '../../kernel/index.ts'
import type { AssertionOutcome } from './assertion.ts'
import { checkClaims } from './check-claims.ts'
import { createFindTrust } from './find-trust.ts'
import { ownAudiences, type ServerIdentity } from './own-audiences.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** Finds the key that an issuer signed with; `null` where its keys cannot be had. Throws as `jose` does where there is none. */
export type FindIssuerKeys = (issuer: WorkloadIssuer) => Promise<CompactVerifyGetKey | null>

/** What verification stands on. */
export interface AssertionPorts {
  readonly issuers: readonly WorkloadIssuer[]
  readonly findKeys: FindIssuerKeys
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Verifies assertions that are sent to this server at `here`. */
export type VerifyAssertion = (text: string, here: ServerIdentity) => Promise<AssertionOutcome>

const maxLength = 16 * 1024

/**
 * Makes the verification of RFC 7523 section 3: a JWS of a listed issuer, with an algorithm listed for it, under a key
 * of that issuer found by `kid` alone, with `iss`, `sub`, `aud`, `exp`, `nbf`, `iat` and `jti` as they must be. Header
 * members that bring a key along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at, and `crit` refuses.
 *
 * Not checked: whose the assertion is (bindings), and whether it was used before (`singleUseId`).
 */
export function createVerifyAssertion({ issuers, findKeys, clock }: AssertionPorts): VerifyAssertion {
  const findTrust = createFindTrust(issuers)
  return async (text, here) => {
    const read = readUnverified(text)
    if (read === null) return refused('not a signed JWT')
    const trust = findTrust(read.header, read.claims)
    if (!trust.ok) return trust
    const { issuer, kind } = trust
    const keys = await findKeys(issuer)
    if (keys === null) return unavailable
    const signature = await verifySignature(text, keys, issuer.algorithms)
    if (signature !== null) return signature
    const checked = checkClaims(read.claims, issuer, kind, ownAudiences(kind, here), clock.nowMs())
    if (!checked.ok) return refused(checked.reason)
    return { ok: true, assertion: { kind, issuer, claims: read.claims, ...checked.facts } }
  }
}

const unavailable = { ok: false, code: 'unavailable', reason: 'the keys of the issuer cannot be had' } as const

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
    if (error instanceof errors.JWKSTimeout) return unavailable
    if (error instanceof errors.JWKSNoMatchingKey) return refused('no key of the issuer has this kid and alg')
    if (error instanceof errors.JWKSMultipleMatchingKeys) return refused('no kid, and several keys of the issuer fit')
    if (error instanceof errors.JOSEError) return refused('the signature is not good')
    throw error
  }
}
