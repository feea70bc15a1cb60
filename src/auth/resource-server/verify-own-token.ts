import type { Clock, Scope } from '../../kernel/index.ts'
import type { LocalKeys } from '../authorization-server/local-keys.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import type { Jws } from '../signatures/read-jws.ts'
import { fitsAlgorithm, isSignatureGood } from '../signatures/signature-algorithm.ts'
import type { RequestedResource } from './requested-resource.ts'
import { actorsOf, audiencesOf, checkTimes, confirmationOf, namesIn, textClaim } from './token-claims.ts'
import { invalidToken, type TokenOutcome } from './verified-token.ts'

/** What verifying stands on. */
export interface OwnTokenParts {
  readonly keys: LocalKeys
  readonly registry: Pick<IdentityRegistry, 'findActiveCredential'>
  readonly clock: Clock
}

const types = new Set(['at+jwt', 'application/at+jwt'])
const knownScopes: readonly Scope[] = ['mcp', 'admin']

/**
 * Verifies an access token of the embedded authorization server (RFC 9068 section 4): its keys are in this process, its
 * clock is ours, its audience is exactly the resource and nothing else. Does not check revocation of the token or that
 * the caller holds its key: both are looked at with every request.
 */
export function verifyOwnToken(
  { header, claims, signed, signature }: Jws,
  issuer: string,
  resource: RequestedResource,
  { keys, registry, clock }: OwnTokenParts,
): TokenOutcome {
  if (typeof header.typ !== 'string' || !types.has(header.typ.toLowerCase())) return invalidToken('typ is not at+jwt')
  const found = typeof header.kid === 'string' ? keys.find(header.kid) : null
  if (found === null) return invalidToken('no key of ours has this kid')
  if (header.alg !== found.algorithm || !fitsAlgorithm(found.publicKey, found.algorithm))
    return invalidToken('alg is not that of the key')
  if (!isSignatureGood(found.algorithm, found.publicKey, signed, signature))
    return invalidToken('the signature is not good')

  const audiences = audiencesOf(claims)
  if (audiences?.length !== 1 || audiences[0] !== resource.identifier) return invalidToken('it is for another audience')
  const expiresAtMs = checkTimes(claims, clock.nowMs(), 0)
  if (typeof expiresAtMs === 'string') return invalidToken(expiresAtMs)
  const [subject, clientId, tokenId, credentialId] = ['sub', 'client_id', 'jti', 'mcpworks_credential'].map((name) =>
    textClaim(claims[name]),
  )
  if (subject == null || clientId == null || tokenId == null || credentialId == null)
    return invalidToken('a claim of RFC 9068 is missing')
  const confirmation = confirmationOf(claims)
  if (confirmation === null) return invalidToken('cnf is not known here')
  const acting = actorsOf(claims)
  if (acting === null) return invalidToken('act is malformed')

  const active = registry.findActiveCredential(credentialId)
  if (active === null || active.principal.id !== subject)
    return invalidToken('its credential is revoked, expired or another one')
  const granted = new Set(namesIn(claims.scope))
  return {
    ok: true,
    token: {
      credentialId,
      principalId: subject,
      resource: resource.identifier,
      scopes: knownScopes.filter((scope) => granted.has(scope) && active.scopes.includes(scope)),
      confirmation,
      expiresAtMs,
      freshUntilMs: expiresAtMs,
      facts: { issuer, clientId, tokenId, ...acting },
      own: true,
    },
  }
}
