import { generateKeyPairSync } from 'node:crypto'
import { errors, interactionPolicy, Provider, type Adapter, type Configuration, type JWKS } from 'oidc-provider'
import { clientSecretMatches } from './client-secret.ts'
import { accessTokenSeconds } from './issue-access-token.ts'
import { endpoints } from './endpoints.ts'
import { managementResource, readResource } from './protected-resource.ts'

/** What oidc-provider is told. */
export interface ProviderOptions {
  /** The public URL. */
  readonly issuer: string
  /** Where people's browsers meet this server; the session cookies are there. */
  readonly browserOrigin: string
  readonly secureCookies: boolean
  /** Part of the names of cookies, which all ports of a host share. */
  readonly cookieSuffix: string
  readonly adapters: (model: string) => Adapter
  /** 32 bytes, the same on every node and at every start. */
  readonly nonceSecret: Uint8Array
  readonly requireNonce: boolean
  readonly refreshIdleSeconds: number
  /** The agent's namespace endpoint for a client of an agent; `null` for others. */
  readonly resourceOf: (clientId: string) => string | null
  /** Whether the person can still act: not disabled, not revoked. */
  readonly isPersonActive: (userId: string) => boolean
  /** Reads the keys of a client that has them at a URL. */
  readonly fetch: NonNullable<Configuration['fetch']>
  /** A page for what the browser is not sent back to a client with. */
  readonly errorPage: (error: string, description: string) => string
}

const dpopAlgorithms = ['ES256', 'EdDSA', 'Ed25519'] as const
const clientAlgorithms = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const

/**
 * Sets oidc-provider up: response type `code` with PKCE S256 for everybody, refresh tokens that rotate, client
 * credentials, PAR, resource indicators, DPoP, revocation; everything else that it can do is off. It signs nothing:
 * see `mintOwnTokens`.
 */
export function createProvider(options: ProviderOptions): Provider {
  const { issuer, browserOrigin, secureCookies } = options
  const cookie = { httpOnly: true, sameSite: 'lax', secure: secureCookies, signed: false, overwrite: true } as const
  const cookieName = (what: string): string =>
    secureCookies ? `__Secure-mcpworks-${what}` : `mcpworks-${what}-${options.cookieSuffix}`
  const provider = new Provider(issuer, {
    adapter: options.adapters,
    jwks: unusedKeys(),
    routes: {
      authorization: endpoints.authorize,
      token: endpoints.token,
      revocation: endpoints.revoke,
      pushed_authorization_request: endpoints.push,
      jwks: endpoints.keys,
    },
    responseTypes: ['code'],
    scopes: ['offline_access'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientDefaults: { id_token_signed_response_alg: 'ES256', token_endpoint_auth_method: 'none' },
    enabledJWA: {
      clientAuthSigningAlgValues: [...clientAlgorithms],
      dPoPSigningAlgValues: [...dpopAlgorithms],
      idTokenSigningAlgValues: ['ES256'],
    },
    cookies: {
      names: { session: cookieName('unused'), interaction: cookieName('consent'), resume: cookieName('resume') },
      long: cookie,
      short: cookie,
    },
    pkce: { required: () => true },
    // A client that gives up an access token wants none of what came with it.
    revokeGrantPolicy: () => true,
    allowOmittingSingleRegisteredRedirectUri: false,
    rotateRefreshToken: true,
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    clientBasedCORS: () => false,
    extraParams: authorizationDefaults(),
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      revocation: {
        enabled: true,
        // Of another client's token nothing is told (RFC 7009 section 2.2).
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      dPoP: {
        enabled: true,
        allowReplay: false,
        nonceSecret: Buffer.from(options.nonceSecret),
        requireNonce: () => options.requireNonce,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, client, oneOf) => oneOf ?? options.resourceOf(client?.clientId ?? '') ?? [],
        useGrantedResource: async () => true,
        getResourceServerInfo(ctx, identifier) {
          const resource = readResource(issuer, identifier)
          if (resource === null) throw new errors.InvalidTarget('the resource is none of this server')
          // Where a client of an agent names no scope it asks for what the resource takes (RFC 6749 section 3.3).
          if (ctx.oidc.params !== undefined) ctx.oidc.params.scope ??= resource.scope
          return { scope: resource.scope, audience: identifier, accessTokenFormat: 'jwt' }
        },
      },
    },
    interactions: {
      policy: consentEachTime(),
      url: (_ctx, interaction) => `${browserOrigin}${endpoints.consent}/${interaction.uid}`,
    },
    async loadExistingGrant(ctx) {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId)
    },
    findAccount: async (_ctx, userId) =>
      options.isPersonActive(userId) ? { accountId: userId, claims: async () => ({ sub: userId }) } : undefined,
    fetch: options.fetch,
    fetchResponseBodyLimits: { jwks_uri: 64 * 1024 },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: 60,
      Interaction: 600,
      Session: 60,
      IdToken: 60,
      RefreshToken(ctx) {
        const grantSeconds = (ctx.oidc.entities.Grant?.exp ?? 0) - Math.floor(Date.now() / 1000)
        return Math.max(1, Math.min(options.refreshIdleSeconds, grantSeconds))
      },
    },
    renderError(ctx, out) {
      ctx.type = 'html'
      ctx.body = options.errorPage(out.error, out.error_description ?? '')
    },
  })
  answerAsConfigured(provider, issuer, browserOrigin)
  // Secrets are kept as their hashes.
  provider.Client.prototype.compareClientSecret = function matches(presented) {
    return clientSecretMatches(presented, this.clientSecret)
  }
  return provider
}

/** The library will not start without a key. This one is published nowhere, so nothing signed by it is worth anything. */
function unusedKeys(): JWKS {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { keys: [privateKey.export({ format: 'jwk' })] }
}

/** Refuses what would be asked for without a resource, and fills in the scope. */
function authorizationDefaults(): NonNullable<Configuration['extraParams']> {
  return {
    resource(ctx) {
      const resource: unknown = ctx.oidc.params?.resource
      if (typeof resource !== 'string' || resource === '')
        throw new errors.InvalidTarget('exactly one resource must be named (RFC 8707)')
      if (resource === managementResource(ctx.oidc.issuer))
        throw new errors.InvalidTarget('tokens for the management API are not given out in a browser')
    },
  }
}

/**
 * A person is asked, or an earlier answer of theirs is found, outside of the library each time: it keeps no session
 * and remembers no consent.
 */
function consentEachTime(): interactionPolicy.Prompt[] {
  const { Check, Prompt } = interactionPolicy
  return [
    new Prompt({ name: 'login', requestable: true }),
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('consent_missing', 'a person has to agree', (ctx) => ctx.oidc.result?.consent?.grantId === undefined),
    ),
  ]
}

/**
 * Lets neither `Host` nor a forwarding header say where this server is: Koa derives URLs from them, and by these the
 * library checks DPoP proofs and client assertions and sends browsers back.
 */
function answerAsConfigured(provider: Provider, issuer: string, browserOrigin: string): void {
  const [here, browser] = [new URL(issuer), new URL(browserOrigin)]
  const of = (path: string): URL =>
    path === endpoints.authorize || path.startsWith(`${endpoints.authorize}/`) ? browser : here
  Object.defineProperties(provider.request, {
    protocol: {
      get(this: { path: string }) {
        return of(this.path).protocol.slice(0, -1)
      },
    },
    host: {
      get(this: { path: string }) {
        return of(this.path).host
      },
    },
  })
  const unused = `${provider.cookieName('session')}=`
  provider.use(async (ctx, next) => {
    await next()
    const cookies = ctx.response.get('Set-Cookie') as string | string[] | undefined
    const kept = [cookies ?? []].flat().filter((text) => !text.startsWith(unused) && text !== '')
    ctx.remove('Set-Cookie')
    if (kept.length > 0) ctx.set('Set-Cookie', kept)
    for (const name of ['Access-Control-Allow-Origin', 'Access-Control-Expose-Headers', 'Vary']) ctx.remove(name)
    ctx.set({
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
    })
  })
}
