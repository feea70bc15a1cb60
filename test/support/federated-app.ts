import { randomUUID } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../../src/kernel/index.ts'
import { echoEntry } from './echo-entries.ts'
import { startForeignIssuer, type ForeignIssuer } from './foreign-issuer.ts'
import { createJwsSigner, dpopProof, type JwsSigner, type Wishes } from './jws-signer.ts'
import { startTestApp, type TestApp } from './running-app.ts'

/** Issuer identifiers of the platforms, whose keys are given and not fetched. */
export const platforms = {
  github: 'https://token.actions.githubusercontent.com',
  kubernetes: 'https://kubernetes.default.svc.cluster.local',
  spiffe: 'spiffe://example.org',
} as const

/** What the token endpoint answered. */
export interface TokenAnswer {
  readonly status: number
  readonly body: JsonObject
  readonly text: string
}

/** The whole product with issuers that it trusts: one over real HTTP, and three platforms that sign by `platform`. */
export interface FederatedApp extends AsyncDisposable {
  readonly app: TestApp
  readonly url: string
  /** Found by discovery; trusted for workloads and for identity assertions. */
  readonly foreign: ForeignIssuer
  /** Trusted by nobody. */
  readonly stranger: ForeignIssuer
  readonly platform: JwsSigner
  /** Resource identifier of a namespace's endpoint. */
  resource(namespace: string): string
  /** An assertion of a platform, good but for the wishes. */
  assert(platform: keyof typeof platforms, claims: Wishes, header?: Wishes): string
  /** An assertion of an issuer over HTTP, good but for the wishes. */
  assertAt(issuer: ForeignIssuer, claims: Wishes, header?: Wishes): string
  bind(agent: string, issuer: string, match: JsonObject, more?: JsonObject): Promise<string>
  /** Posts to the token endpoint. A list sends a parameter several times. */
  post(
    parameters: Readonly<Record<string, string | readonly string[]>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<TokenAnswer>
  /** The jwt-bearer grant for `demo`. */
  show(
    assertion: string,
    more?: Readonly<Record<string, string | readonly string[]>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<TokenAnswer>
  /** A DPoP proof for the token endpoint. */
  proof(key: JwsSigner): string
  /** Every record of the platform's and the namespace's own log, as text. */
  records(): Promise<string>
}

/** Grant types as the token endpoint names them. */
export const grants = {
  assertion: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
} as const

/** Type of the tokens that are exchanged (RFC 8693 section 3). */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

const permitAll = 'permit (principal, action == Action::"call", resource);'

/** Starts everything. Namespaces `demo` and `other` have agents `deployer`, `helper`, `third` and `bound`. */
export async function startFederatedApp(dataDirectory?: string): Promise<FederatedApp> {
  const foreign = await startForeignIssuer()
  const stranger = await startForeignIssuer()
  const platform = createJwsSigner('ES256')
  const keys = [{ ...platform.publicJwk, kid: 'platform', alg: 'ES256' }]
  const algorithms = ['ES256']
  const issuers = [
    { issuer: foreign.issuer, identityAssertions: true, networks: ['127.0.0.1/32'] },
    { preset: 'github-actions', keys, algorithms },
    { preset: 'kubernetes', issuer: platforms.kubernetes, keys, algorithms },
    { preset: 'spiffe', trustDomain: 'example.org', keys: [{ ...keys[0], use: 'jwt-svid' }] },
  ]
  const app = await startTestApp({
    configuration: { auth: { workload: { issuers, maxActors: 2 } } } as unknown as JsonObject,
    entries: [echoEntry('demo'), echoEntry('other')],
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
  })
  const agents = ['deployer', 'helper', 'third'].map((name) => `  - name: ${name}\n`).join('')
  for (const namespace of ['demo', 'other']) {
    await app.apply(namespace, {
      'namespace.yaml': `namespace: ${namespace}\nagents:\n${agents}`,
      'policies/all.cedar': permitAll,
    })
  }
  const { url } = app.app
  const times = (): Wishes => {
    const now = Math.floor(Date.now() / 1000)
    return { iat: now, exp: now + 300, jti: randomUUID() }
  }

  async function post(
    parameters: Readonly<Record<string, string | readonly string[]>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<TokenAnswer> {
    const pairs = Object.entries(parameters).flatMap(([name, value]) =>
      [value].flat().map((one): [string, string] => [name, one]),
    )
    const response = await fetch(`${url}/oauth/token`, { method: 'POST', headers, body: new URLSearchParams(pairs) })
    const text = await response.text()
    const body: unknown = JSON.parse(text)
    return { status: response.status, text, body: isJsonObject(body) ? body : {} }
  }

  let closing: Promise<void> | null = null
  async function close(): Promise<void> {
    await app.close()
    await foreign.close()
    await stranger.close()
  }

  return {
    app,
    url,
    foreign,
    stranger,
    platform,
    resource: (namespace) => `${url}/mcp/${namespace}`,
    assert: (name, claims, header = {}) =>
      platform.sign({ kid: 'platform', ...header }, { iss: platforms[name], aud: url, ...times(), ...claims }),
    assertAt: (issuer, claims, header = {}) => issuer.sign(url, claims, { typ: 'JWT', ...header }),
    async bind(agent, issuer, match, more = {}) {
      const [namespace = 'demo', name = agent] = agent.includes('/') ? agent.split('/') : ['demo', agent]
      const { binding } = await app.manage(namespace, 'binding.add', { namespace, agent: name, issuer, match, ...more })
      return isJsonObject(binding) ? String(binding.id) : ''
    },
    post,
    show: (assertion, more = {}, headers = {}) =>
      post({ grant_type: grants.assertion, assertion, resource: `${url}/mcp/demo`, ...more }, headers),
    proof: (key) => dpopProof(key, { method: 'POST', url: `${url}/oauth/token`, token: null, nowMs: Date.now() }),
    async records() {
      const logs = await Promise.all(
        ['demo', 'platform'].map((namespace) =>
          app.manage(namespace, 'audit.tail', { namespace, limit: 1000, reads: true }),
        ),
      )
      return JSON.stringify(logs)
    },
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}
