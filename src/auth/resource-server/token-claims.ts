import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { Confirmation } from './verified-token.ts'

const maxActors = 8
const maxTextLength = 2048

/** A claim that is text, of a length that something honest has; `null` otherwise. */
export function textClaim(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' && value.length <= maxTextLength ? value : null
}

/** `aud` as a list (RFC 7519 section 4.1.3); `null` where it is of another form. */
export function audiencesOf(claims: JsonObject): readonly string[] | null {
  const { aud } = claims
  if (typeof aud === 'string') return [aud]
  if (!Array.isArray(aud) || aud.length > 50) return null
  return aud.every((one): one is string => typeof one === 'string') ? aud : null
}

/** A list of names separated by spaces (RFC 6749 section 3.3), or in an array as some issuers write it. */
export function namesIn(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((name) => name !== '')
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []
}

/**
 * Checks `exp`, `nbf` and `iat` (RFC 7519 section 4.1) with `skewMs` for differences between clocks. Answers when the
 * token expires by our clock, or what is wrong.
 */
export function checkTimes(claims: JsonObject, nowMs: number, skewMs: number): number | string {
  const { exp, nbf, iat } = claims
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'exp is missing'
  const expiresAtMs = exp * 1000 + skewMs
  if (expiresAtMs <= nowMs) return 'it has expired'
  for (const [name, time] of [
    ['nbf', nbf],
    ['iat', iat],
  ] as const) {
    if (time === undefined) continue
    if (typeof time !== 'number' || !Number.isFinite(time)) return `${name} is no time`
    if (time * 1000 > nowMs + skewMs) return `${name} is in the future`
  }
  return expiresAtMs
}

/** `cnf`; `null` for a form that is not known here, which must not be taken for an unbound token. */
export function confirmationOf(claims: JsonObject): Confirmation | null {
  const { cnf } = claims
  if (cnf === undefined) return { kind: 'none' }
  if (!isJsonObject(cnf)) return null
  const { jkt, 'x5t#S256': x5t, ...others } = cnf
  if (Object.keys(others).length > 0) return null
  if (isThumbprint(jkt) && x5t === undefined) return { kind: 'dpop', thumbprint: jkt }
  if (isThumbprint(x5t) && jkt === undefined) return { kind: 'mtls', certificateSha256: x5t }
  return null
}

function isThumbprint(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)
}

/** Who acts for whom (RFC 8693 section 4.1). */
export interface Actors {
  /** Subjects, the present actor first. */
  readonly actors: readonly string[]
  /** Credentials of ours that they proved themselves by, where the token says so. */
  readonly actorCredentials: readonly string[]
}

/** The `act` chain; `null` where it is malformed or too long. */
export function actorsOf(claims: JsonObject): Actors | null {
  const actors: string[] = []
  const actorCredentials: string[] = []
  let { act } = claims
  while (act !== undefined) {
    const subject = isJsonObject(act) ? textClaim(act.sub) : null
    if (!isJsonObject(act) || subject === null || actors.length === maxActors) return null
    const credential = textClaim(act.mcpworks_credential)
    actors.push(subject)
    if (credential !== null) actorCredentials.push(credential)
    act = act.act
  }
  return { actors, actorCredentials }
}
