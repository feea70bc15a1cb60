import { createHmac, hash } from 'node:crypto'
import type { AccessTokenFacts, Authentication, Clock } from '../../kernel/index.ts'
import type { AuthenticationRefusal, AuthenticationResult, Presented } from '../authenticator.ts'
import { BoundedMap } from '../bounded-map.ts'
import type { CredentialVerifier, SchemeAndCredential } from '../credential-verifier.ts'
import type { ProofVerifier } from '../dpop/proof-verifier.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { requestedResource, type RequestedResource } from './requested-resource.ts'
import type { Confirmation, TokenOutcome, VerifiedToken } from './verified-token.ts'

/** What verifying stands on. */
export interface AccessTokenVerifierParts {
  /** Verifies a token that is not in the cache: signature or introspection, claims, and whose it is. */
  verifyToken(
    token: string,
    sha256: string,
    resource: RequestedResource,
    publicUrl: string,
  ): TokenOutcome | Promise<TokenOutcome>
  readonly proofs: ProofVerifier
  readonly registry: Pick<IdentityRegistry, 'findActiveCredential' | 'findActive' | 'describe'>
  /** Whether a token of our own was revoked (RFC 7009), by its `jti`. */
  isRevoked(tokenId: string): boolean
  readonly clock: Clock
  /** 32 bytes, under which records name tokens. */
  readonly tokenIdKey: Uint8Array
  /** Verified tokens remembered, by their SHA-256. */
  readonly maxCached: number
}

const invalid = 'credential_invalid'

/**
 * Verifies access tokens as RFC 6750, RFC 9449 section 7 and RFC 8705 section 3 say. What a token says is remembered
 * until it expires; that its credential, principal and key are good is looked at with every request.
 * Takes every credential that is no API key.
 */
export function createAccessTokenVerifier(parts: AccessTokenVerifierParts): CredentialVerifier {
  const { registry, clock, proofs } = parts
  const cache = new BoundedMap<string, VerifiedToken>(parts.maxCached)

  async function verified(text: string, sha256: string, presented: Presented): Promise<TokenOutcome> {
    const { publicUrl, url } = presented
    const resource = requestedResource(publicUrl, url)
    const known = cache.get(sha256)
    if (known !== undefined && known.resource === resource.identifier && known.freshUntilMs > clock.nowMs())
      return { ok: true, token: known }
    const outcome = await parts.verifyToken(text, sha256, resource, publicUrl)
    if (!outcome.ok) return outcome
    const token = { ...outcome.token, facts: namedForRecords(outcome.token.facts, parts.tokenIdKey) }
    cache.set(sha256, token)
    return { ok: true, token }
  }

  function isActive(credentialId: string): boolean {
    return registry.findActiveCredential(credentialId) !== null || registry.findActive(credentialId) !== null
  }

  return {
    accepts: ({ credential }) => !credential.startsWith('mcpw_'),
    async verify({ scheme, credential }, presented) {
      const sha256 = hash('sha256', credential, 'base64url')
      const outcome = await verified(credential, sha256, presented)
      if (!outcome.ok) return outcome
      const { token } = outcome
      if (token.expiresAtMs <= clock.nowMs()) return { ok: false, code: invalid, reason: 'it has expired' }
      if (token.own && token.facts.tokenId !== null && parts.isRevoked(token.facts.tokenId))
        return { ok: false, code: invalid, reason: 'it was revoked' }
      const active = registry.findActiveCredential(token.credentialId)
      if (active === null || active.principal.id !== token.principalId)
        return { ok: false, code: invalid, reason: 'its credential is revoked, disabled or has expired' }
      if (token.facts.actorCredentials?.some((id) => !isActive(id)) === true)
        return { ok: false, code: invalid, reason: 'one who acts in it may not any more' }
      if (active.principal.senderConstrainedOnly && token.confirmation.kind === 'none')
        return { ok: false, code: invalid, reason: 'an unbound token of an agent that must prove a key of its own' }
      const proof = await checkPossession(token, scheme, sha256, presented, proofs)
      if (!proof.ok) return proof
      return {
        ok: true,
        caller: {
          principal: registry.describe(active.principal),
          authentication: authenticationOf(token, active.scopes),
          client: { address: presented.address, claimedName: presented.claimedName },
        },
        ...(proof.headers === undefined ? {} : { headers: proof.headers }),
      } satisfies AuthenticationResult
    },
  }
}

/** Whoever has the token or the key can tell that it is the one of a record; from the record alone nobody can. */
function namedForRecords(facts: AccessTokenFacts, key: Uint8Array): AccessTokenFacts {
  if (facts.tokenId === null) return facts
  return { ...facts, tokenIdHmac: `hmac-sha256:${createHmac('sha256', key).update(facts.tokenId).digest('hex')}` }
}

function authenticationOf(token: VerifiedToken, scopes: Authentication['scopes']): Authentication {
  const { confirmation } = token
  return {
    method: 'access-token',
    credentialId: token.credentialId,
    senderConstrained: confirmation.kind !== 'none',
    ...(confirmation.kind === 'none' ? {} : { binding: confirmation.kind, keyThumbprint: thumbprintOf(confirmation) }),
    expiresAtMs: token.expiresAtMs,
    scopes: token.scopes.filter((scope) => scopes.includes(scope)),
    token: token.facts,
  }
}

function thumbprintOf(confirmation: Exclude<Confirmation, { kind: 'none' }>): string {
  return confirmation.kind === 'dpop' ? confirmation.thumbprint : confirmation.certificateSha256
}

type Possession = { readonly ok: true; readonly headers?: Readonly<Record<string, string>> } | AuthenticationRefusal

/** That the caller holds the key the token is bound to (RFC 9449 section 7.1 and 7.2, RFC 8705 section 3). */
async function checkPossession(
  { confirmation }: VerifiedToken,
  scheme: SchemeAndCredential['scheme'],
  accessTokenSha256: string,
  presented: Presented,
  proofs: ProofVerifier,
): Promise<Possession> {
  if (confirmation.kind === 'dpop') {
    if (scheme !== 'dpop') return { ok: false, code: invalid, reason: 'a token bound to a key, sent as Bearer' }
    const { method, url, dpop } = presented
    return proofs.verify({ proofs: dpop, method, url, accessTokenSha256, thumbprint: confirmation.thumbprint })
  }
  if (scheme === 'dpop') return { ok: false, code: invalid, reason: 'a token that is bound to no key, sent as DPoP' }
  if (confirmation.kind === 'mtls' && confirmation.certificateSha256 !== presented.certificateSha256)
    return { ok: false, code: invalid, reason: 'a token bound to another certificate than that of the connection' }
  return { ok: true }
}
