import type { GuardedFetch } from '../../egress/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { LocalKeys } from '../authorization-server/local-keys.ts'
import type { CredentialVerifier } from '../credential-verifier.ts'
import type { ProofVerifier } from '../dpop/proof-verifier.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { readJws } from '../signatures/read-jws.ts'
import { createAccessTokenVerifier } from './access-token-verifier.ts'
import type { IntrospectionConfig, IssuerConfig, TokensConfig } from './config.ts'
import { createForeignIssuer } from './foreign-issuer.ts'
import { createIntrospection } from './introspection.ts'
import type { ForeignReading } from './read-foreign-claims.ts'
import type { RequestedResource } from './requested-resource.ts'
import { invalidToken, type TokenOutcome } from './verified-token.ts'
import { verifyForeignToken } from './verify-foreign-token.ts'
import { verifyOwnToken } from './verify-own-token.ts'

/** What the resource server stands on. */
export interface ResourceServerParts {
  readonly registry: IdentityRegistry
  /** Keys of the embedded authorization server; `null` where there is none. */
  readonly localKeys: LocalKeys | null
  readonly proofs: ProofVerifier
  readonly issuers: readonly IssuerConfig[]
  readonly introspection: IntrospectionConfig
  readonly tokens: TokensConfig
  readonly guardedFetch: GuardedFetch
  /** 32 bytes, under which records name tokens. */
  readonly tokenIdKey: Uint8Array
  readonly clock: Clock
}

/**
 * Makes the verifier of access tokens: our own, whose issuer is the public URL, JWTs of the listed issuers, and opaque
 * ones where introspection is set up. Whose token it is, is said by the registry alone.
 */
export function createResourceServer(parts: ResourceServerParts): CredentialVerifier {
  const { registry, localKeys, guardedFetch, clock, tokens, introspection } = parts
  const issuers = new Map(
    parts.issuers.map((config) => [config.issuer, createForeignIssuer(config, tokens, guardedFetch, clock)]),
  )
  const asked = issuers.get(introspection.issuer ?? '')
  const introspect =
    asked === undefined ? null : createIntrospection({ issuer: asked, config: introspection, guardedFetch, clock })

  async function verifyToken(
    text: string,
    sha256: string,
    resource: RequestedResource,
    publicUrl: string,
  ): Promise<TokenOutcome> {
    const reading = (): ForeignReading => ({
      resource,
      publicUrl,
      bindings: registry.listActiveCredentials('binding'),
      nowMs: clock.nowMs(),
      skewMs: tokens.clockSkewSeconds * 1000,
    })
    const jws = readJws(text)
    if (jws === null) {
      if (introspect === null) return invalidToken('not of the form of a token')
      return introspect(text, sha256, reading())
    }
    const { iss } = jws.claims
    if (iss === publicUrl && localKeys !== null)
      return verifyOwnToken(jws, publicUrl, resource, { keys: localKeys, registry, clock })
    const issuer = typeof iss === 'string' ? issuers.get(iss) : undefined
    return issuer === undefined ? invalidToken('the issuer is not trusted') : verifyForeignToken(jws, issuer, reading())
  }

  return createAccessTokenVerifier({
    verifyToken,
    proofs: parts.proofs,
    registry,
    isRevoked: (tokenId) => localKeys?.isRevoked(tokenId) ?? false,
    clock,
    tokenIdKey: parts.tokenIdKey,
    maxCached: tokens.maxCached,
  })
}
