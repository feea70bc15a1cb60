import type { JsonObject, Scope } from '../../kernel/index.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import { chooseBinding } from '../workload/match-bindings.ts'
import type { ForeignIssuer } from './foreign-issuer.ts'
import type { RequestedResource } from './requested-resource.ts'
import { actorsOf, audiencesOf, checkTimes, confirmationOf, textClaim } from './token-claims.ts'
import { invalidToken, type TokenOutcome } from './verified-token.ts'

/** Circumstances of a reading. */
export interface ForeignReading {
  readonly resource: RequestedResource
  readonly publicUrl: string
  /** Every binding that is good at this moment. */
  readonly bindings: readonly ActiveCredential[]
  readonly nowMs: number
  readonly skewMs: number
}

/**
 * What claims of a trusted issuer give, whose signature or answer was checked: for this resource and nothing else, to
 * the agent of its namespace whose binding matches. Without such a binding they give nothing. Scopes are those that the
 * token, the issuer's settings and the binding all have.
 */
export function readForeignClaims(issuer: ForeignIssuer, claims: JsonObject, reading: ForeignReading): TokenOutcome {
  const { resource, publicUrl, nowMs, skewMs } = reading
  if (!isFor(issuer, claims, resource, publicUrl)) return invalidToken('it is for another audience')
  const expiresAtMs = checkTimes(claims, nowMs, skewMs)
  if (typeof expiresAtMs === 'string') return invalidToken(expiresAtMs)
  const access = issuer.profile.readAccess(claims, issuer.issuer)
  if (!access.ok) return invalidToken(access.reason)
  const confirmation = confirmationOf(claims)
  if (confirmation === null) return invalidToken('cnf is not known here')
  const acting = actorsOf(claims)
  if (acting === null) return invalidToken('act is malformed')

  const candidates = reading.bindings.filter(
    ({ principal }) => principal.namespace === resource.namespace || resource.namespace === null,
  )
  const choice = chooseBinding(issuer.issuer, claims, candidates)
  if (!choice.ok) return invalidToken(choice.reason)
  const { credential, principal, scopes } = choice.binding
  return {
    ok: true,
    token: {
      credentialId: credential.id,
      principalId: principal.id,
      resource: resource.identifier,
      scopes: access.scopes === null ? scopes : grantedScopes(issuer, access.scopes, scopes),
      confirmation,
      expiresAtMs,
      freshUntilMs: expiresAtMs,
      facts: {
        issuer: issuer.issuer,
        clientId: access.clientId,
        tokenId: textClaim(claims.jti),
        actors: acting.actors,
      },
      own: false,
    },
  }
}

function isFor(
  { audiences }: ForeignIssuer,
  claims: JsonObject,
  { identifier }: RequestedResource,
  publicUrl: string,
): boolean {
  const named = audiencesOf(claims) ?? []
  if (audiences.size === 0) return named.includes(identifier)
  return named.some((audience) => {
    const resource = audiences.get(audience)
    return resource !== undefined && `${publicUrl}/${resource}` === identifier
  })
}

function grantedScopes({ scopes }: ForeignIssuer, named: readonly string[], bound: readonly Scope[]): readonly Scope[] {
  const granted = new Set(named.flatMap((name) => (Object.hasOwn(scopes, name) ? [scopes[name]] : [])))
  return bound.filter((scope) => granted.has(scope))
}
