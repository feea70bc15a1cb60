import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  clientCredentialsGrant,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  None,
  refreshTokenGrant,
  ResponseBodyError,
  tokenRevocation,
  type TokenEndpointResponse,
} from 'openid-client'
import { createWebFetch, type AddressRules, type GuardedFetch } from '../../egress/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { AuthorizationServer } from './discover-upstream.ts'

/** Our client at an authorization server. */
export interface UpstreamClient {
  readonly clientId: string
  /** `null` for a public client. */
  readonly secret: string | null
}

/** Tokens as they came, or why none did. `refused`: asking again brings nothing without a person. */
export type TokenOutcome =
  | {
      readonly ok: true
      readonly accessToken: string
      readonly refreshToken: string | null
      /** Seconds, `null` where it does not say. */
      readonly expiresInSeconds: number | null
    }
  | { readonly ok: false; readonly refused: boolean; readonly reason: string }

/** How to reach it. */
export interface ClientPorts {
  readonly fetch: GuardedFetch
  readonly allow: AddressRules
}

/** OAuth 2.1 as a client of one authorization server, by metadata that was checked before. */
export interface UpstreamOAuth {
  /** URL for a person's browser (RFC 6749 section 4.1.1, RFC 7636, RFC 8707). */
  authorizationUrl(request: AuthorizationRequest): Promise<string>
  /** Redeems a code. The answer's state and issuer are compared (RFC 9207). */
  redeem(callback: URL, request: AuthorizationRequest): Promise<TokenOutcome>
  refresh(refreshToken: string, resource: string): Promise<TokenOutcome>
  clientCredentials(resource: string, scopes: readonly string[]): Promise<TokenOutcome>
  /** `false` where it was not taken, or cannot be. */
  revoke(token: string): Promise<boolean>
}

/** What is remembered from the moment a person leaves until they come back. */
export interface AuthorizationRequest {
  readonly redirectUri: string
  readonly state: string
  readonly verifier: string
  readonly resource: string
  readonly scopes: readonly string[]
}

/** Makes such a client. Nothing is discovered: what is not in `server` is not used. */
export function createUpstreamOAuth(
  server: AuthorizationServer,
  client: UpstreamClient,
  ports: ClientPorts,
): UpstreamOAuth {
  const { secret } = client
  const authentication =
    secret === null ? None() : server.secretMethod === 'basic' ? ClientSecretBasic(secret) : ClientSecretPost(secret)
  const config = new Configuration(
    {
      issuer: server.issuer,
      token_endpoint: server.tokenEndpoint,
      ...(server.authorizationEndpoint === null ? {} : { authorization_endpoint: server.authorizationEndpoint }),
      ...(server.revocationEndpoint === null ? {} : { revocation_endpoint: server.revocationEndpoint }),
      authorization_response_iss_parameter_supported: server.sendsIssuer,
    },
    client.clientId,
    {},
    authentication,
  )
  // The guarded fetch decides; without this the library refuses loopback too.
  if (ports.allow.networks.length > 0) allowInsecureRequests(config)
  const webFetch = createWebFetch(ports.fetch, {
    purpose: 'upstream-token',
    maxBytes: 256 * 1024,
    timeoutMs: 15_000,
    allow: ports.allow,
  })
  config[customFetch] = (url, options) => webFetch(url, options as RequestInit)
  const scopeOf = (scopes: readonly string[]) => (scopes.length === 0 ? {} : { scope: scopes.join(' ') })
  return {
    async authorizationUrl({ redirectUri, state, verifier, resource, scopes }) {
      const challenge = await calculatePKCECodeChallenge(verifier)
      return buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        resource,
        ...scopeOf(scopes),
      }).href
    },
    redeem: (callback, { state, verifier, resource }) =>
      outcomeOf(() =>
        authorizationCodeGrant(config, callback, { pkceCodeVerifier: verifier, expectedState: state }, { resource }),
      ),
    refresh: (refreshToken, resource) => outcomeOf(() => refreshTokenGrant(config, refreshToken, { resource })),
    clientCredentials: (resource, scopes) =>
      outcomeOf(() => clientCredentialsGrant(config, { resource, ...scopeOf(scopes) })),
    async revoke(token) {
      if (server.revocationEndpoint === null) return false
      return tokenRevocation(config, token).then(
        () => true,
        () => false,
      )
    },
  }
}

/** Registers us at an authorization server (RFC 7591). */
export async function registerAtUpstream(
  endpoint: string,
  redirectUri: string,
  { fetch, allow }: ClientPorts,
): Promise<(UpstreamClient & { readonly ok: true }) | { readonly ok: false; readonly reason: string }> {
  const answer = await fetch(
    endpoint,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        client_name: 'MCPWorks',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      }),
    },
    { purpose: 'upstream-registration', maxBytes: 64 * 1024, timeoutMs: 15_000, allow },
  )
  if (!answer.ok) return { ok: false, reason: `the registration endpoint cannot be used (${answer.reason})` }
  if (answer.status !== 201 && answer.status !== 200)
    return { ok: false, reason: `the registration was answered ${answer.status}` }
  const made = parse(answer.body)
  if (made === null || typeof made.client_id !== 'string' || !/^[\x21-\x7e]{1,500}$/.test(made.client_id))
    return { ok: false, reason: 'the registration was answered without a client id' }
  const secret = typeof made.client_secret === 'string' ? made.client_secret : null
  return { ok: true, clientId: made.client_id, secret }
}

/** Names of OAuth errors that trying again cannot mend. */
const refusals = new Set([
  'invalid_grant',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
])

async function outcomeOf(ask: () => Promise<TokenEndpointResponse>): Promise<TokenOutcome> {
  try {
    const answer = await ask()
    if (answer.token_type.toLowerCase() !== 'bearer')
      return { ok: false, refused: true, reason: 'the token is of another type than Bearer' }
    if (!/^[\x21-\x7e]{1,16000}$/.test(answer.access_token))
      return { ok: false, refused: true, reason: 'the token cannot stand in a header' }
    return {
      ok: true,
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token ?? null,
      expiresInSeconds: answer.expires_in ?? null,
    }
  } catch (error) {
    return failureOf(error)
  }
}

/** Of an error only what is in the list of registered names is told: the rest is the other side's text. */
function failureOf(error: unknown): Extract<TokenOutcome, { ok: false }> {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError) {
    const known = /^[a-z_]{1,40}$/.test(error.error) ? error.error : 'an error'
    const refused = error instanceof AuthorizationResponseError || refusals.has(error.error)
    return { ok: false, refused, reason: `the authorization server answered ${known}` }
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const told = /^OAUTH_[A-Z_]{1,60}$/.test(code) ? code : 'no usable answer'
  return { ok: false, refused: false, reason: `the answer of the authorization server was not taken (${told})` }
}

function parse(body: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}
