import type { JsonObject } from '../../kernel/index.ts'
import type { SignatureAlgorithm } from '../signatures/signature-algorithm.ts'
import { namesIn, textClaim } from './token-claims.ts'

/** Products whose tokens differ. `generic` is one that keeps to RFC 9068. */
export type IssuerProfileName = 'generic' | 'keycloak' | 'entra' | 'okta' | 'auth0' | 'google'

/** What a token of an issuer says of client and scopes, or why it is no access token. */
export type AccessReading =
  | {
      readonly ok: true
      readonly clientId: string | null
      /** As the issuer names them; `null` where its tokens have none, and the binding alone says what is allowed. */
      readonly scopes: readonly string[] | null
    }
  | { readonly ok: false; readonly reason: string }

/** What is known of a product's tokens. */
export interface IssuerProfile {
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Values of the header's `typ` that its access tokens have, in lower case; '' for none. */
  readonly types: readonly string[]
  /** Whether a client can ask for a token whose audience is our resource (RFC 8707). */
  readonly resourceIndicators: boolean
  /** What an issuer identifier must look like, or `null`. */
  issuerProblem(issuer: URL, text: string): string | null
  /** Where the metadata is, first choice first. */
  metadataUrls(issuer: string): readonly string[]
  /** Tells an access token from what else the issuer signs with the same key. The signature is good. */
  readAccess(claims: JsonObject, issuer: string): AccessReading
}

const rfc9068Types = ['at+jwt', 'application/at+jwt'] as const
const anyTypes = [...rfc9068Types, 'jwt', ''] as const

const profiles: Readonly<Record<IssuerProfileName, IssuerProfile>> = {
  generic: {
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'],
    types: rfc9068Types,
    resourceIndicators: true,
    issuerProblem: () => null,
    metadataUrls: (issuer) => [openidConfiguration(issuer), oauthMetadata(issuer)],
    readAccess: (claims) => access(claims.client_id, namesIn(claims.scope)),
  },
  // Access, ID and refresh tokens of a realm are told apart by the claim `typ`; the header says JWT unless the client is
  // set to RFC 9068. Resource indicators: not in general; an audience mapper puts any audience into the token.
  keycloak: {
    algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    types: anyTypes,
    resourceIndicators: false,
    issuerProblem: ({ pathname }) =>
      /\/realms\/[^/]+$/.test(pathname) ? null : 'of Keycloak ends with /realms/ and the name of the realm',
    metadataUrls: (issuer) => [openidConfiguration(issuer)],
    readAccess: (claims) =>
      claims.typ === 'Bearer' || claims.typ === 'DPoP'
        ? access(claims.azp ?? claims.client_id, namesIn(claims.scope))
        : { ok: false, reason: 'typ is not that of an access token' },
  },
  // v1 tokens name the application in appid, v2 tokens in azp; ID tokens have neither. Delegated scopes are in scp, those
  // of an application itself in roles. The tenant is part of the issuer: common and organizations are none.
  entra: {
    algorithms: ['RS256'],
    types: anyTypes,
    resourceIndicators: false,
    issuerProblem: ({ pathname, hostname }) =>
      tenantPath.test(pathname) && pathname.endsWith('/v2.0') === (hostname !== v1Host)
        ? null
        : 'of Entra is https://login.microsoftonline.com/TENANT-ID/v2.0 or https://sts.windows.net/TENANT-ID/',
    metadataUrls: (issuer) => [
      issuer.startsWith(`https://${v1Host}/`)
        ? `https://login.microsoftonline.com/${new URL(issuer).pathname.split('/')[1] ?? ''}/.well-known/openid-configuration`
        : openidConfiguration(issuer),
    ],
    readAccess(claims, issuer) {
      const tenant = new URL(issuer).pathname.split('/')[1]
      if (claims.tid !== tenant) return { ok: false, reason: 'tid is another tenant than that of the issuer' }
      const isSecond = issuer.endsWith('/v2.0')
      if (claims.ver !== (isSecond ? '2.0' : '1.0')) return { ok: false, reason: 'ver is not that of the issuer' }
      const client = textClaim(isSecond ? claims.azp : claims.appid)
      if (client === null) return { ok: false, reason: 'it names no application, so it is no access token' }
      if (claims.scp === undefined && claims.roles === undefined)
        return { ok: false, reason: 'it has neither scp nor roles' }
      return access(client, [...namesIn(claims.scp), ...namesIn(claims.roles)])
    },
  },
  // Only custom authorization servers: tokens of the org server are for Okta itself and cannot be verified by others.
  // The audience is one for each authorization server.
  okta: {
    algorithms: ['RS256'],
    types: [...anyTypes, 'application/okta-internal-at+jwt'],
    resourceIndicators: false,
    issuerProblem: ({ pathname }) =>
      /^\/oauth2\/[A-Za-z0-9]+$/.test(pathname)
        ? null
        : 'of Okta ends with /oauth2/ and the id of a custom authorization server; tokens of the org server cannot be verified by others',
    metadataUrls: (issuer) => [openidConfiguration(issuer), oauthMetadata(issuer)],
    readAccess: (claims) =>
      textClaim(claims.cid) === null
        ? { ok: false, reason: 'it has no cid, so it is no access token' }
        : access(claims.cid, namesIn(claims.scp)),
  },
  // The issuer ends with a slash. The audience is the identifier of an API, which can be our resource itself.
  auth0: {
    algorithms: ['RS256', 'PS256', 'ES256'],
    types: anyTypes,
    resourceIndicators: true,
    issuerProblem: (_, text) => (text.endsWith('/') ? null : 'of Auth0 ends with a slash'),
    metadataUrls: (issuer) => [openidConfiguration(issuer)],
    readAccess: (claims) =>
      isIdToken(claims)
        ? { ok: false, reason: 'it is an ID token' }
        : access(claims.client_id ?? claims.azp, [...namesIn(claims.scope), ...namesIn(claims.permissions)]),
  },
  // Access tokens of Google are opaque and for Google. ID tokens of service accounts have any audience that was asked
  // for, and no scopes. A token that a person got by signing in names its client as audience, never ours.
  google: {
    algorithms: ['RS256'],
    types: ['jwt', ''],
    resourceIndicators: true,
    issuerProblem: () => null,
    metadataUrls: (issuer) => [openidConfiguration(issuer)],
    readAccess: (claims) =>
      claims.nonce !== undefined || claims.at_hash !== undefined
        ? { ok: false, reason: 'it was made for a sign-in' }
        : access(claims.azp, null),
  },
}

/** The profile of that name. */
export function issuerProfile(name: IssuerProfileName): IssuerProfile {
  return profiles[name]
}

const v1Host = 'sts.windows.net'
const tenantPath = /^\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\/(?:v2\.0)?$/

/** OpenID Connect Discovery 1.0 section 4: after the issuer's path. */
function openidConfiguration(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

/** RFC 8414 section 3.1: before it. */
function oauthMetadata(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`
}

/** OpenID Connect Core section 2: claims that only an ID token has. */
function isIdToken(claims: JsonObject): boolean {
  return ['nonce', 'at_hash', 'c_hash'].some((name) => claims[name] !== undefined)
}

function access(client: JsonObject[string] | undefined, scopes: readonly string[] | null): AccessReading {
  return { ok: true, clientId: textClaim(client), scopes }
}
