import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  type Configuration,
  type CustomFetch,
} from 'openid-client'
import { createWebFetch, type GuardedFetch } from '../../egress/index.ts'
import { McpworksError, type Clock, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { OidcConfig } from './config.ts'
import { createOnce } from './once.ts'

/** What the issuer says of a person. All of it was verified. */
export interface OidcIdentity {
  readonly issuer: string
  readonly subject: string
  readonly claims: JsonObject
}

/** A person who came back from the issuer, or why that is worth nothing. */
export type OidcArrival =
  | {
      readonly ok: true
      readonly identity: OidcIdentity
      readonly returnTo: string
      /** The user who was signed in and asked for the account to be linked; `null` for a sign-in. */
      readonly linkTo: string | null
    }
  | { readonly ok: false; readonly reason: string }

/** The code flow with PKCE, state and nonce (OpenID Connect Core section 3.1). */
export interface OidcSignIn {
  /** Where to send the browser whose secret is `visit`. @throws McpworksError `issuer_unavailable` */
  begin(visit: string, origin: string, returnTo: string, linkTo: string | null): Promise<string>
  /** `url` is the whole address that the browser came back with. The state is good once, for the same browser. */
  arrive(visit: string, url: URL): Promise<OidcArrival>
}

/** What it stands on. */
export interface OidcPorts {
  readonly config: OidcConfig & { readonly issuer: string; readonly clientId: string }
  readonly fetch: GuardedFetch
  readonly clock: Clock
}

interface UnderWay {
  readonly visit: string
  readonly nonce: string
  readonly verifier: string
  readonly origin: string
  readonly returnTo: string
  readonly linkTo: string | null
}

const callbackPath = '/sign-in/oidc/callback'

/** How long what the issuer publishes is taken for true. */
const metadataMs = 600_000

/** Makes it. The issuer is asked for its metadata when the first person comes. */
export function createOidcSignIn({ config, fetch, clock }: OidcPorts): OidcSignIn {
  const underWay = createOnce<UnderWay>(clock, 600, 10_000)
  const webFetch = createWebFetch(fetch, {
    purpose: 'sign-in',
    maxBytes: 512 * 1024,
    timeoutMs: 10_000,
    allow: { networks: config.networks },
  })
  const throughEgress: CustomFetch = (url, { body, headers, method, signal }) =>
    webFetch(url, { method, headers, body: body as never, ...(signal === undefined ? {} : { signal }) })
  let known: { configuration: Promise<Configuration>; atMs: number } | null = null

  async function discover(): Promise<Configuration> {
    const auth = config.clientSecret === null ? None() : ClientSecretBasic(config.clientSecret)
    const isPlain = config.issuer.startsWith('http:')
    const configuration = await discovery(new URL(config.issuer), config.clientId, undefined, auth, {
      [customFetch]: throughEgress,
      timeout: 10,
      // Plain http reaches nothing but loopback addresses that are listed: the guarded fetch sees to that.
      execute: [enableNonRepudiationChecks, ...(isPlain ? [allowInsecureRequests] : [])],
    })
    // An authorization server that says in its metadata to be another one is another one (RFC 8414 section 3.3).
    if (configuration.serverMetadata().issuer !== config.issuer) throw new McpworksError('issuer_unavailable')
    return configuration
  }

  function configuration(): Promise<Configuration> {
    if (known !== null && clock.nowMs() - known.atMs < metadataMs) return known.configuration
    const asked = discover()
    known = { configuration: asked, atMs: clock.nowMs() }
    return asked.catch((cause: unknown) => {
      known = null
      throw new McpworksError('issuer_unavailable', { cause })
    })
  }

  return {
    async begin(visit, origin, returnTo, linkTo) {
      const issuer = await configuration()
      const verifier = randomPKCECodeVerifier()
      const nonce = randomNonce()
      const state = underWay.put({ visit, nonce, verifier, origin, returnTo, linkTo })
      const url = buildAuthorizationUrl(issuer, {
        redirect_uri: `${origin}${callbackPath}`,
        scope: config.scopes.join(' '),
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      })
      if (url.protocol !== 'https:' && !config.issuer.startsWith('http:')) throw new McpworksError('issuer_unavailable')
      return url.href
    },
    async arrive(visit, url) {
      const state = url.searchParams.get('state') ?? ''
      const begun = underWay.take(state)
      if (begun === null) return { ok: false, reason: 'a state of no sign-in that is under way' }
      if (begun.visit !== visit) return { ok: false, reason: 'a state of another browser' }
      if (`${url.origin}${url.pathname}` !== `${begun.origin}${callbackPath}`)
        return { ok: false, reason: 'an arrival at another address' }
      try {
        const tokens = await authorizationCodeGrant(await configuration(), url, {
          expectedState: state,
          expectedNonce: begun.nonce,
          pkceCodeVerifier: begun.verifier,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (claims === undefined) return { ok: false, reason: 'no ID token' }
        const identity = { issuer: claims.iss, subject: claims.sub, claims: claims as Record<string, JsonValue> }
        return { ok: true, identity, returnTo: begun.returnTo, linkTo: begun.linkTo }
      } catch {
        return { ok: false, reason: 'an answer of the issuer that is not good' }
      }
    },
  }
}
