import { once } from 'node:events'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import {
  Client,
  ClientCredentialsProvider,
  DpopSession,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/kernel/index.ts'
import { addApplication, claimsOf, redirectUri } from '../support/code-flow.ts'
import { echoEntry } from '../support/echo-entries.ts'
import { createOauthBrowser } from '../support/oauth-browser.ts'
import { signedIn } from '../support/people.ts'
import { startTestApp, type TestApp } from '../support/running-app.ts'
import { verifies } from './requirements.ts'
import { runAuthorization } from './run-authorization.ts'

// The authorization server and the resource server before the official runner and the official client, over real HTTP.

const seen = { tools: ['echo'], failed: false }

const files = {
  'namespace.yaml': 'namespace: demo\nagents:\n  - name: robot\n',
  'policies/all.cedar': 'permit (principal, action == Action::"call", resource in Namespace::"demo");',
}

let app: TestApp
let strict: TestApp
beforeAll(async () => {
  app = await startTestApp({ entries: [echoEntry()] })
  strict = await startTestApp({ entries: [echoEntry()], settings: { 'auth.dpop.nonce': 'required' } })
  for (const each of [app, strict]) {
    await each.apply('demo', files)
    await signedIn(each, 'anna', [])
    await each.app.registry.addAgent('demo', 'anna-agent', [], { ownerId: 'anna' })
  }
})
afterAll(async () => {
  await app.close()
  await strict.close()
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Agrees as `anna` and gives where the browser is sent then. */
async function consent(server: TestApp, url: string): Promise<string> {
  const { cookie } = await signedIn(server, 'anna', [])
  const browser = createOauthBrowser([cookie])
  const answer = await browser.submit(await browser.open(url), { decision: 'allow', agent: 'demo/anna-agent' })
  return answer.location ?? ''
}

describe('the official authorization server scenarios', () => {
  it(verifies('as-metadata', 'all pass'), async () => {
    const port = await freePort()
    const run = await runAuthorization({
      issuer: app.app.url,
      clientId: await addApplication(app, [`http://127.0.0.1:${port}/callback`]),
      resource: `${app.app.url}/mcp/demo`,
      port,
      visit: async (url) => {
        const answer = await fetch(await consent(app, url))
        await answer.text()
      },
    })
    expect(run.output).toContain('authorization-code-grant')
    expect(run.output).not.toMatch(/✗|FAILURE|SKIPPED|WARNING/)
    expect(run.exitCode).toBe(0)
  })
})

/** The tools that it sees, and whether the call of one failed. */
async function listAndCall(server: TestApp, authProvider: OAuthClientProvider): Promise<unknown> {
  const client = new Client({ name: 'official', version: '1' })
  const url = new URL(`${server.app.url}/mcp/demo`)
  const first = new StreamableHTTPClientTransport(url, { authProvider })
  await client.connect(first).catch(async (error: unknown) => {
    if (!(error instanceof UnauthorizedError)) throw error
    const answer = new URL(await (authProvider as PersonsProvider).answered())
    await first.finishAuth(answer.searchParams)
    await client.connect(new StreamableHTTPClientTransport(url, { authProvider }))
  })
  const { tools } = await client.listTools()
  const { isError } = await client.callTool({ name: 'echo', arguments: { text: 'hello' } })
  await client.close()
  return { tools: tools.map(({ name }) => name), failed: isError === true }
}

/** What an application keeps, with a person beside it who agrees. */
class PersonsProvider implements OAuthClientProvider {
  readonly redirectUrl = redirectUri
  readonly #server: TestApp
  readonly #clientId: string
  readonly #session: DpopSession | undefined
  #tokens: StoredOAuthTokens | undefined
  #verifier = ''
  #answer: Promise<string> | undefined

  constructor(server: TestApp, clientId: string, session?: DpopSession) {
    this.#server = server
    this.#clientId = clientId
    this.#session = session
  }

  get clientMetadata() {
    return { redirect_uris: [redirectUri], client_name: 'Official client', token_endpoint_auth_method: 'none' }
  }
  clientInformation() {
    return { client_id: this.#clientId, issuer: this.#server.app.url }
  }
  tokens() {
    return this.#tokens
  }
  saveTokens(tokens: StoredOAuthTokens) {
    this.#tokens = tokens
  }
  redirectToAuthorization(url: URL) {
    this.#answer = consent(this.#server, url.href)
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }
  codeVerifier() {
    return this.#verifier
  }
  dpop() {
    return this.#session
  }
  async answered(): Promise<string> {
    if (this.#answer === undefined) throw new Error('nobody was asked')
    return this.#answer
  }
}

describe('the official client against both servers', () => {
  it(verifies('as-client-credentials', 'gets in as an agent by a secret'), async () => {
    const made = await app.manage('demo', 'client.create', { namespace: 'demo', agent: 'robot' })
    const clientId = String((made.client as JsonObject).id)
    const entered = await listAndCall(
      app,
      new ClientCredentialsProvider({
        clientId,
        clientSecret: String(made.clientSecret),
        expectedIssuer: app.app.url,
        scope: 'mcp',
      }),
    )
    expect(entered).toEqual(seen)
  })

  it(verifies('as-client-credentials', 'gets in as an agent by an assertion of its key'), async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = { ...publicKey.export({ format: 'jwk' }), alg: 'ES256' } as JsonObject
    const made = await app.manage('demo', 'client.create', { namespace: 'demo', agent: 'robot', keys: { keys: [jwk] } })
    const entered = await listAndCall(
      app,
      new PrivateKeyJwtProvider({
        clientId: String((made.client as JsonObject).id),
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        algorithm: 'ES256',
        expectedIssuer: app.app.url,
      }),
    )
    expect(entered).toEqual(seen)
  })

  it(verifies('as-pkce', 'gets in as the agent that a person chose'), async () => {
    const provider = new PersonsProvider(app, await addApplication(app))
    expect(await listAndCall(app, provider)).toEqual(seen)
    expect(claimsOf(provider.tokens()?.access_token)).toMatchObject({
      sub: 'demo/anna-agent',
      aud: `${app.app.url}/mcp/demo`,
    })
  })

  it.each(['offered', 'required'])(
    verifies('as-dpop-binding', 'is bound to its key, with nonces %s'),
    async (nonces) => {
      const server = nonces === 'required' ? strict : app
      const session = await DpopSession.create()
      const provider = new PersonsProvider(server, await addApplication(server), session)
      expect(await listAndCall(server, provider)).toEqual(seen)
      expect(provider.tokens()?.token_type.toLowerCase()).toBe('dpop')
      expect(claimsOf(provider.tokens()?.access_token)).toMatchObject({ cnf: { jkt: session.thumbprint } })
      expect(session.nonceFor(server.app.url) !== undefined || nonces === 'offered').toBe(true)
    },
  )
})
