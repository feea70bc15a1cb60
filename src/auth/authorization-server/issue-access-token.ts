import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock, JsonObject, Scope } from '../../kernel/index.ts'
import type { IdentityEvents } from '../identity-events.ts'
import type { IdentityRegistry } from '../identity-registry.ts'
import { isOpenTo, readResource } from './protected-resource.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The key that a token is bound to. */
export type TokenBinding =
  | { readonly kind: 'dpop'; readonly thumbprint: string }
  | { readonly kind: 'certificate'; readonly sha256: string }

/** An access token that somebody is to have. */
export interface AccessTokenOrder {
  /** The credential of the registry that it is issued under, and ends with. */
  readonly credentialId: string
  readonly clientId: string
  /** Exactly one of our resource identifiers. */
  readonly resource: string
  /** What was asked for; `null` asks for all that the credential has for the resource. */
  readonly scopes: readonly string[] | null
  readonly grantType: string
  readonly binding: TokenBinding | null
  /** At most the usual lifetime; `null` for that. */
  readonly lifetimeSeconds: number | null
  /** `act` (RFC 8693 section 4.1), the whole chain. */
  readonly act: JsonObject | null
  /** `may_act` (RFC 8693 section 4.4): the only one who may act with the token. */
  readonly mayAct?: string | null
  /** Remote address of the request. */
  readonly address: string
  /** What else the record is to tell. Nothing secret. */
  readonly facts: JsonObject
}

/** The token, or which OAuth error (RFC 6749 section 5.2, RFC 8707 section 2) there is instead. */
export type AccessTokenOutcome =
  | {
      readonly ok: true
      readonly token: string
      readonly tokenType: 'Bearer' | 'DPoP'
      readonly expiresInSeconds: number
      readonly scopes: readonly Scope[]
    }
  | {
      readonly ok: false
      readonly error: 'invalid_grant' | 'invalid_scope' | 'invalid_target'
      /** For the client, in our words. */
      readonly description: string
    }

/** Issues access tokens: for every grant type the only place that does. */
export type IssueAccessToken = (order: AccessTokenOrder) => Promise<AccessTokenOutcome>

/** Lifetime of an access token, in seconds. Short, because a verifier elsewhere learns of a revocation only by it. */
export const accessTokenSeconds = 300

/** What issuing stands on. */
export interface IssuingParts {
  readonly issuer: string
  readonly registry: Pick<IdentityRegistry, 'findActiveCredential'>
  readonly keys: Pick<SigningKeys, 'current'>
  readonly events: Pick<IdentityEvents, 'record'>
  readonly clock: Clock
}

/**
 * Makes JWT access tokens (RFC 9068) for one resource each. Credential, agent and namespace must be good at this
 * moment; scopes are those of the credential at most; the record is durable before the token is there.
 * Does not authenticate the client or check the grant: whoever orders has.
 * @throws McpworksError `audit_unavailable`; then there is no token
 */
export function createAccessTokenIssuer({ issuer, registry, keys, events, clock }: IssuingParts): IssueAccessToken {
  return async (order) => {
    const active = registry.findActiveCredential(order.credentialId)
    if (active === null) return refuse('invalid_grant', 'The credential is expired, revoked or disabled.')
    const { principal, credential } = active
    const resource = readResource(issuer, order.resource)
    if (resource === null || !isOpenTo(resource, principal))
      return refuse('invalid_target', 'The resource is none that this agent can have a token for.')
    if (principal.senderConstrainedOnly && order.binding === null)
      return refuse('invalid_grant', 'This agent gets only tokens bound to a key: send a DPoP proof.')
    const scopes = active.scopes.filter((scope) => scope === resource.scope)
    const refusedScope = order.scopes?.find((scope) => !scopes.some((granted) => granted === scope))
    if (scopes.length === 0 || refusedScope !== undefined || order.scopes?.length === 0)
      return refuse('invalid_scope', 'The scope is more than this credential has for this resource.')

    const nowSeconds = Math.floor(clock.nowMs() / 1000)
    const untilExpiry =
      credential.expiresAtMs === null ? accessTokenSeconds : credential.expiresAtMs / 1000 - nowSeconds
    const expiresInSeconds = Math.floor(
      Math.min(accessTokenSeconds, untilExpiry, order.lifetimeSeconds ?? accessTokenSeconds),
    )
    if (expiresInSeconds < 1) return refuse('invalid_grant', 'The credential has expired.')
    const tokenId = randomBytes(16).toString('base64url')
    await events.record({
      type: 'token-issued',
      namespace: principal.namespace,
      principalId: principal.id,
      credentialId: credential.id,
      address: order.address,
      facts: {
        ...order.facts,
        grantType: order.grantType,
        client: order.clientId,
        token: tokenId,
        audience: order.resource,
        scopes: [...scopes],
        bound: order.binding === null ? null : thumbprintOf(order.binding),
        act: order.act,
        mayAct: order.mayAct ?? null,
        expiresInSeconds,
      },
    })
    const key = keys.current()
    const token = await new SignJWT({
      client_id: order.clientId,
      scope: scopes.join(' '),
      mcpworks_credential: credential.id,
      ...(order.binding === null ? {} : { cnf: confirmation(order.binding) }),
      ...(order.act === null ? {} : { act: order.act }),
      ...(order.mayAct == null ? {} : { may_act: { sub: order.mayAct } }),
    })
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setSubject(principal.id)
      .setAudience(order.resource)
      .setJti(tokenId)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + expiresInSeconds)
      .sign(key.privateKey)
    return { ok: true, token, tokenType: order.binding?.kind === 'dpop' ? 'DPoP' : 'Bearer', expiresInSeconds, scopes }
  }
}

function refuse(error: 'invalid_grant' | 'invalid_scope' | 'invalid_target', description: string): AccessTokenOutcome {
  return { ok: false, error, description }
}

/** RFC 9449 section 6.1, RFC 8705 section 3.1. */
function confirmation(binding: TokenBinding): JsonObject {
  return binding.kind === 'dpop' ? { jkt: binding.thumbprint } : { 'x5t#S256': binding.sha256 }
}

function thumbprintOf(binding: TokenBinding): string {
  return binding.kind === 'dpop' ? binding.thumbprint : binding.sha256
}
