import type { JsonObject, JsonValue } from '../../kernel/index.ts'
import type { AssertionKind, VerifiedAssertion } from './assertion.ts'
import { isServiceAccount } from './service-account.ts'
import { trustDomainOf } from './spiffe-id.ts'
import type { WorkloadIssuer } from './workload-issuer.ts'

/** What the claims say, or which of them is not as it must be. */
export type ClaimsOutcome =
  | { readonly ok: true; readonly facts: Pick<VerifiedAssertion, 'subject' | 'expiresAtMs' | 'singleUseId'> }
  | { readonly ok: false; readonly reason: string }

/** How far clocks may be apart. */
const skewMs = 30_000
/** RFC 7519 sets no bound; an issuer's own are far below. */
const maxTextLength = 2048

/**
 * Checks the claims of an assertion (RFC 7523 section 3). Every value of `aud` must mean this server: an assertion that
 * is also meant for somebody else could come from there. The lifetime is bounded whatever the issuer signed.
 */
export function checkClaims(
  claims: JsonObject,
  issuer: WorkloadIssuer,
  kind: AssertionKind,
  ownAudiences: readonly string[],
  nowMs: number,
): ClaimsOutcome {
  const subject = textOf(claims['sub'])
  if (subject === null) return refused('sub is missing or no text')
  const spoken = presetProblem(issuer, subject)
  if (spoken !== null) return refused(spoken)
  const audiences = audiencesOf(claims['aud'])
  if (audiences === null) return refused('aud is missing or of the wrong form')
  const accepted = kind === 'id-jag' ? ownAudiences : [...ownAudiences, ...issuer.audiences]
  if (!audiences.every((audience) => accepted.includes(audience)))
    return refused('aud names another server than this one')
  const times = checkTimes(claims, issuer, kind, nowMs)
  if (!times.ok) return times
  const once = issuer.singleUse || kind === 'id-jag'
  const id = textOf(claims['jti'])
  if (once && id === null) return refused("jti is missing, and this issuer's assertions are taken once only")
  return { ok: true, facts: { subject, expiresAtMs: times.expiresAtMs, singleUseId: once ? id : null } }
}

function checkTimes(
  claims: JsonObject,
  issuer: WorkloadIssuer,
  kind: AssertionKind,
  nowMs: number,
): { ok: true; expiresAtMs: number } | { ok: false; reason: string } {
  const expiresAtMs = millis(claims['exp'])
  if (expiresAtMs === null) return refused('exp is missing or no time')
  if (expiresAtMs <= nowMs - skewMs) return refused('exp is past')
  const issuedAtMs = claims['iat'] === undefined ? undefined : millis(claims['iat'])
  if (issuedAtMs === null) return refused('iat is no time')
  // Optional in a JWT-SVID only.
  if (issuedAtMs === undefined && (issuer.preset !== 'spiffe' || kind === 'id-jag')) return refused('iat is missing')
  if (issuedAtMs !== undefined && issuedAtMs > nowMs + skewMs) return refused('iat is in the future')
  const notBeforeMs = claims['nbf'] === undefined ? undefined : millis(claims['nbf'])
  if (notBeforeMs === null) return refused('nbf is no time')
  if (notBeforeMs !== undefined && notBeforeMs > nowMs + skewMs) return refused('nbf is in the future')
  if (expiresAtMs - (issuedAtMs ?? nowMs) > issuer.maxLifetimeSeconds * 1000)
    return refused('it lives longer than maxAssertionSeconds')
  return { ok: true, expiresAtMs }
}

/** What the platform says its subjects look like: another one would be of another issuer or made by a mistake. */
function presetProblem({ preset, trustDomain }: WorkloadIssuer, subject: string): string | null {
  if (preset === 'kubernetes' && !isServiceAccount(subject)) return 'sub is no service account'
  if (preset === 'spiffe' && (trustDomain === null || trustDomainOf(subject) !== trustDomain))
    return 'sub is no SPIFFE ID of the trust domain'
  return null
}

function refused(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' && value.length <= maxTextLength ? value : null
}

/** NumericDate (RFC 7519 section 2) within what a date can be. */
function millis(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && value > 0 && value < 253_402_300_800 ? Math.floor(value * 1000) : null
}

function audiencesOf(value: JsonValue | undefined): string[] | null {
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > 10) return null
  return list.every((member): member is string => typeof member === 'string') ? list : null
}
