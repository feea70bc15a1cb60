import { createPrivateKey, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type ClientMetadata, type Configuration, type JWK } from 'oidc-provider'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'

/** What a test may choose. */
export interface ForeignIssuerOptions {
  /** What the issuer identifier has after the origin: `/` (Auth0), `/realms/demo` (Keycloak) or nothing. */
  readonly path?: string
  /** Clients besides `workload` and `introspector`, both with the secret `secret`. */
  readonly clients?: readonly ClientMetadata[]
  /** Laid over the configuration, for flows of people. */
  readonly configuration?: Configuration
}

/** What a token should be. */
export interface TokenWish {
  readonly resource: string
  /** Space-separated; `mcp` unless told otherwise. */
  readonly scope?: string
  readonly format?: 'jwt' | 'opaque'
  /** Laid over what the issuer says itself; those of RFC 9068 that it states itself stand. */
  readonly claims?: JsonObject
  /** Headers of the request to the token endpoint, such as a DPoP proof. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A second authorization server, over real HTTP on loopback. */
export interface ForeignIssuer {
  /** Issuer identifier. */
  readonly issuer: string
  /** Origin, without a slash at the end. */
  readonly origin: string
  /** Requests per path since the start, also those that were not answered. */
  readonly requests: ReadonlyMap<string, number>
  /** The key that signs at this moment. */
  key(): { readonly kid: string; readonly privateKey: KeyObject; readonly publicJwk: JsonObject }
  /** A token from the token endpoint, by client credentials of `workload`. */
  requestToken(wish: TokenWish): Promise<string>
  /**
   * A JWT by the issuer's own key that its token endpoint might never issue: claims and header laid over those of a
   * good access token for `audience`. A claim that is `undefined` is left out.
   */
  sign(audience: string, claims?: ClaimWishes, header?: ClaimWishes): string
  /** Revokes at the issuer. */
  revoke(token: string): Promise<void>
  /** Signs with a new key from now on; the old one is published no more unless told otherwise. */
  rotateKeys(options?: { readonly keepOld: boolean }): Promise<void>
  /** Cuts every connection off unanswered, until `comeBack`. */
  goDown(): void
  comeBack(): void
  close(): Promise<void>
}

/** Claims by name. */
export type ClaimWishes = Readonly<Record<string, JsonObject[string] | undefined>>

const secretClient = (client_id: string): ClientMetadata => ({
  client_id,
  client_secret: 'secret',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
})

/** Starts the issuer. Its tokens are signed ES256 and last 5 minutes. */
export async function startForeignIssuer(options: ForeignIssuerOptions = {}): Promise<ForeignIssuer> {
  const requests = new Map<string, number>()
  let claims: JsonObject = {}
  let format: 'jwt' | 'opaque' = 'jwt'
  let keys: SigningKey[] = [newKey()]
  let down = false
  let answer: ReturnType<Provider['callback']> | undefined

  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    requests.set(path, (requests.get(path) ?? 0) + 1)
    if (down || answer === undefined) request.socket.destroy()
    else void answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const path = options.path ?? ''
  const issuer = `${origin}${path}`

  function serve(): void {
    const provider = new Provider(issuer, {
      clients: [secretClient('workload'), secretClient('introspector'), ...(options.clients ?? [])],
      jwks: { keys: keys.map(({ jwk }) => jwk) },
      scopes: ['openid', 'offline_access', 'mcp', 'admin'],
      clientDefaults: { id_token_signed_response_alg: 'ES256' },
      enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
      ttl: { ClientCredentials: 300, AccessToken: 300 },
      extraTokenClaims: async () => claims,
      ...options.configuration,
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        introspection: { enabled: true, allowedPolicy: () => true },
        revocation: { enabled: true, allowedPolicy: () => true },
        dPoP: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: async (_ctx, resource) => ({
            scope: 'mcp admin',
            audience: resource,
            accessTokenFormat: format,
            ...(format === 'jwt' ? { jwt: { sign: { alg: 'ES256' as const } } } : {}),
          }),
        },
        ...options.configuration?.features,
      } as NonNullable<Configuration['features']>,
    })
    // Under a path its routes are below it, as behind a proxy that takes the prefix off.
    const inner = provider.callback()
    const prefix = path.replace(/\/$/, '')
    answer = async (request, response) => {
      if (prefix !== '') Object.assign(request, { originalUrl: request.url, url: request.url?.slice(prefix.length) })
      return inner(request, response)
    }
  }
  serve()

  const endpoint = (name: string): string => `${origin}${path.replace(/\/$/, '')}/${name}`
  async function post(name: string, form: Record<string, string>, headers: Readonly<Record<string, string>> = {}) {
    const response = await fetch(endpoint(name), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('workload:secret')}`, ...headers },
      body: new URLSearchParams(form),
    })
    const body: unknown = await response.json().catch(() => ({}))
    if (!response.ok) throw new Error(`${name} answered ${response.status}: ${JSON.stringify(body)}`)
    return isJsonObject(body) ? body : {}
  }

  const present = (): SigningKey => keys[0] as SigningKey
  return {
    issuer,
    origin,
    requests,
    key: () => ({ kid: present().kid, privateKey: present().privateKey, publicJwk: present().publicJwk }),
    async requestToken(wish) {
      claims = wish.claims ?? {}
      format = wish.format ?? 'jwt'
      const { resource, scope = 'mcp', headers } = wish
      const answered = await post('token', { grant_type: 'client_credentials', resource, scope }, headers)
      return String(answered.access_token)
    },
    sign(audience, wishes = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      const good = { iss: issuer, aud: audience, sub: 'workload', client_id: 'workload', scope: 'mcp' }
      const times = { iat: now, exp: now + 300, jti: randomUUID() }
      return signJwt(
        { alg: 'ES256', typ: 'at+jwt', kid: present().kid, ...header },
        { ...good, ...times, ...wishes },
        present().privateKey,
      )
    },
    revoke: async (token) => void (await post('token/revocation', { token })),
    async rotateKeys({ keepOld } = { keepOld: false }) {
      keys = [newKey(), ...(keepOld ? keys : [])]
      serve()
    },
    goDown() {
      down = true
      server.closeAllConnections()
    },
    comeBack() {
      down = false
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Signs ES256 whatever the header says. Members that are `undefined` are left out. */
function signJwt(header: ClaimWishes, claims: ClaimWishes, privateKey: KeyObject): string {
  const part = (value: ClaimWishes): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: JsonObject
  readonly jwk: JWK
}

function newKey(): SigningKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = randomUUID()
  const jwk = { ...pair.privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } as JWK
  const publicJwk = { ...pair.publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' } as JsonObject
  return { kid, privateKey: createPrivateKey({ key: jwk as never, format: 'jwk' }), publicJwk, jwk }
}
