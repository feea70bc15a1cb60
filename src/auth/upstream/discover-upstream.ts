import type { AddressRules, FetchOutcome, FetchPolicy, GuardedFetch, TargetCheck } from '../../egress/index.ts'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { checkEndpoint, type EndpointRules } from './check-endpoint.ts'

/** An authorization server, as far as we use it. Every endpoint was checked. */
export interface AuthorizationServer {
  readonly issuer: string
  readonly authorizationEndpoint: string | null
  readonly tokenEndpoint: string
  readonly registrationEndpoint: string | null
  readonly revocationEndpoint: string | null
  /** `client_secret_post` where it is all there is; `client_secret_basic` otherwise. */
  readonly secretMethod: 'basic' | 'post'
  /** It puts `iss` into its answers (RFC 9207). */
  readonly sendsIssuer: boolean
  readonly takesMetadataDocuments: boolean
}

/** A server and the authorization server that it trusts, or why they were not taken: in our words. */
export type DiscoveredUpstream =
  | { readonly ok: true; readonly resource: string; readonly server: AuthorizationServer }
  | { readonly ok: false; readonly problem: string; readonly mayPass: boolean }

/** What discovery goes out with. */
export interface DiscoveryPorts {
  readonly fetch: GuardedFetch
  readonly checkTarget: TargetCheck
  readonly allow: AddressRules
}

const maxMetadataBytes = 64 * 1024

/**
 * Finds out which authorization server a third-party server trusts (RFC 9728) and what its endpoints are (RFC 8414).
 * The metadata has to be of exactly this resource and exactly this issuer; `expectedIssuer` is the one that it has to
 * be, where the operator named one. Everything that comes back is a stranger's: each endpoint is checked as text, and
 * that of authorization, to which a person's browser goes, by its addresses too.
 */
export async function discoverUpstream(
  serverUrl: string,
  expectedIssuer: string | null,
  ports: DiscoveryPorts,
): Promise<DiscoveredUpstream> {
  const rules = endpointRules(serverUrl, expectedIssuer, ports.allow)
  const resource = await readResource(serverUrl, ports)
  if (!resource.ok) return resource
  const issuer = chooseIssuer(resource.issuers, expectedIssuer)
  if (!issuer.ok) return issuer
  if (!checkEndpoint(issuer.value, rules).ok) return refused('the issuer that the server names is no https URL')
  const metadata = await readServer(issuer.value, ports)
  if (!metadata.ok) return metadata
  const server = serverOf(metadata.value, issuer.value, rules)
  if (!server.ok) return server
  const { authorizationEndpoint } = server.value
  if (authorizationEndpoint !== null) {
    const target = await ports.checkTarget(authorizationEndpoint, ports.allow)
    if (!target.ok) return refused(`the authorization endpoint leads where nobody may be sent (${target.reason})`)
  }
  return { ok: true, resource: resource.resource, server: server.value }
}

/** Rules for everything that belongs to a server. */
export function endpointRules(serverUrl: string, issuer: string | null, allow: AddressRules): EndpointRules {
  const typed = [serverUrl, ...(issuer === null ? [] : [issuer])]
  return {
    allowLoopbackHttp: allow.networks.length > 0,
    typedHosts: typed.filter((text) => URL.canParse(text)).map((text) => new URL(text).hostname),
  }
}

type Failure = Extract<DiscoveredUpstream, { ok: false }>

/** The document that the server's challenge names, if it is on the server itself; else the well-known places. */
async function readResource(
  serverUrl: string,
  ports: DiscoveryPorts,
): Promise<{ ok: true; resource: string; issuers: readonly unknown[] } | Failure> {
  const { origin, pathname } = new URL(serverUrl)
  const path = pathname === '/' ? '' : pathname
  const places = [
    `${origin}/.well-known/oauth-protected-resource${path}`,
    `${origin}/.well-known/oauth-protected-resource`,
  ]
  const named = await namedByChallenge(serverUrl, origin, ports)
  for (const place of new Set(named === null ? places : [named, ...places])) {
    const document = await readJson(place, ports)
    if (!document.ok && document.mayPass) return document
    if (!document.ok) continue
    const { resource, authorization_servers: issuers } = document.value
    // RFC 9728 section 3.3; the document at the root may speak of the whole origin.
    const isOurs = resource === serverUrl || (place === places[1] && (resource === origin || resource === `${origin}/`))
    if (typeof resource !== 'string' || !isOurs) return refused('the metadata is of another resource than this server')
    if (!Array.isArray(issuers) || issuers.length === 0) return refused('the server names no authorization server')
    return { ok: true, resource, issuers }
  }
  return refused('the server has no protected-resource metadata (RFC 9728)')
}

/** `resource_metadata` of the challenge (RFC 9728 section 5.1), where it is of the same origin. */
async function namedByChallenge(serverUrl: string, origin: string, ports: DiscoveryPorts): Promise<string | null> {
  const answer = await ports.fetch(
    serverUrl,
    { headers: { accept: 'application/json' } },
    policyOf('upstream-challenge', ports),
  )
  const challenge = answer.ok && answer.status === 401 ? (answer.headers['www-authenticate'] ?? '') : ''
  const named = /resource_metadata="([^"\\]{1,2000})"/.exec(challenge)?.[1] ?? ''
  return URL.canParse(named) && new URL(named).origin === origin ? named : null
}

function chooseIssuer(issuers: readonly unknown[], expected: string | null): { ok: true; value: string } | Failure {
  if (expected !== null) {
    if (issuers.includes(expected)) return { ok: true, value: expected }
    return refused('the server does not name the authorization server that it should')
  }
  const [only] = issuers
  if (issuers.length === 1 && typeof only === 'string') return { ok: true, value: only }
  return refused('the server names several authorization servers: say which one with --issuer')
}

/** RFC 8414 section 3.1, then OpenID Connect Discovery, in the order of the MCP specification. */
async function readServer(issuer: string, ports: DiscoveryPorts): Promise<{ ok: true; value: JsonObject } | Failure> {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const places = [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ]
  for (const place of new Set(places)) {
    const document = await readJson(place, ports)
    if (!document.ok && document.mayPass) return document
    if (!document.ok) continue
    // Exactly, as RFC 8414 section 3.3 says: no slash more or less.
    if (document.value.issuer !== issuer) return refused('the authorization server calls itself by another issuer')
    return document
  }
  return refused('the authorization server has no metadata (RFC 8414)')
}

function serverOf(
  metadata: JsonObject,
  issuer: string,
  rules: EndpointRules,
): { ok: true; value: AuthorizationServer } | Failure {
  const endpoints: Record<string, string | null> = {}
  for (const name of ['authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'revocation_endpoint']) {
    const text = metadata[name]
    if (text !== undefined) {
      const verdict = checkEndpoint(text, rules)
      if (!verdict.ok) return refused(`the ${name.replace('_', ' ')} ${verdict.problem}`)
    }
    endpoints[name] = typeof text === 'string' ? text : null
  }
  const tokenEndpoint = endpoints.token_endpoint ?? null
  if (tokenEndpoint === null) return refused('the authorization server has no token endpoint')
  const authorizationEndpoint = endpoints.authorization_endpoint ?? null
  const challenges = metadata.code_challenge_methods_supported
  const hasChallenges = Array.isArray(challenges) && challenges.includes('S256')
  if (authorizationEndpoint !== null && !hasChallenges) return refused('the authorization server has no PKCE with S256')
  const methods = metadata.token_endpoint_auth_methods_supported
  const basic = !Array.isArray(methods) || methods.includes('client_secret_basic')
  return {
    ok: true,
    value: {
      issuer,
      authorizationEndpoint,
      tokenEndpoint,
      registrationEndpoint: endpoints.registration_endpoint ?? null,
      revocationEndpoint: endpoints.revocation_endpoint ?? null,
      secretMethod: basic ? 'basic' : 'post',
      sendsIssuer: metadata.authorization_response_iss_parameter_supported === true,
      takesMetadataDocuments: metadata.client_id_metadata_document_supported === true,
    },
  }
}

async function readJson(url: string, ports: DiscoveryPorts): Promise<{ ok: true; value: JsonObject } | Failure> {
  const answer = await ports.fetch(
    url,
    { headers: { accept: 'application/json' } },
    policyOf('upstream-metadata', ports),
  )
  if (!answer.ok)
    return { ok: false, problem: `the metadata cannot be had (${answer.reason})`, mayPass: mayPass(answer) }
  if (answer.status >= 500) return { ok: false, problem: `the metadata was answered ${answer.status}`, mayPass: true }
  if (answer.status !== 200) return refused(`the metadata was answered ${answer.status}`)
  const value = parse(answer.body)
  return value === null ? refused('the metadata is no JSON object') : { ok: true, value }
}

function mayPass(answer: Extract<FetchOutcome, { ok: false }>): boolean {
  return ['unresolvable', 'unreachable', 'timeout', 'busy', 'aborted'].includes(answer.reason)
}

function policyOf(purpose: string, { allow }: DiscoveryPorts): FetchPolicy {
  return { purpose, maxBytes: maxMetadataBytes, timeoutMs: 10_000, allow }
}

function parse(body: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}

function refused(problem: string): Failure {
  return { ok: false, problem, mayPass: false }
}
