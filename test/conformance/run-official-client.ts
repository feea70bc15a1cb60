import {
  Client,
  ClientCredentialsProvider,
  DpopSession,
  PrivateKeyJwtProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientInformationMixed,
  type OAuthClientProvider,
  type OAuthTokens,
} from '@modelcontextprotocol/client'
import { isJsonObject } from '../../src/kernel/index.ts'
import { listToolsWith } from '../support/workload-client.ts'

// The official client with its own providers, for the official scenarios of client credentials and DPoP. The runner
// starts it with the address of its server as last argument and what else there is to know in the environment. With
// `without-key` before that it does everything but DPoP.

const url = process.argv.at(-1) ?? ''
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? ''
const context: unknown = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}')
const given = (name: string): string => (isJsonObject(context) ? String(context[name]) : '')

/** An application, with a key of its own where it has a session. The server of the scenario agrees without asking anybody. */
class Application implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:3000/callback'
  readonly clientMetadata = { redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none' }
  readonly #session: DpopSession | undefined
  #client: OAuthClientInformationMixed | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''
  #answer = new URLSearchParams()

  constructor(session: DpopSession | undefined) {
    this.#session = session
  }

  clientInformation() {
    return this.#client
  }
  saveClientInformation(client: OAuthClientInformationMixed) {
    this.#client = client
  }
  tokens() {
    return this.#tokens
  }
  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens
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
  async redirectToAuthorization(authorizationUrl: URL) {
    const answer = await fetch(authorizationUrl, { redirect: 'manual' })
    this.#answer = new URL(answer.headers.get('location') ?? '').searchParams
  }
  answer() {
    return this.#answer
  }
}

async function listToolsAsApplication(): Promise<void> {
  const provider = new Application(process.argv.includes('without-key') ? undefined : await DpopSession.create())
  const client = new Client({ name: 'application', version: '1' }, { versionNegotiation: { mode: 'legacy' } })
  const first = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider })
  await client.connect(first).catch(async (error: unknown) => {
    if (!(error instanceof UnauthorizedError)) throw error
    await first.finishAuth(provider.answer())
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider: provider }))
  })
  await client.listTools()
  await client.close()
}

const clientId = given('client_id')
switch (scenario) {
  case 'auth/client-credentials-basic':
    await listToolsWith(
      url,
      new ClientCredentialsProvider({ clientId, clientSecret: given('client_secret') }),
      'legacy',
    )
    break
  case 'auth/client-credentials-jwt':
    await listToolsWith(
      url,
      new PrivateKeyJwtProvider({
        clientId,
        privateKey: given('private_key_pem'),
        algorithm: given('signing_algorithm'),
      }),
      'legacy',
    )
    break
  case 'auth/dpop':
  case 'auth/dpop-nonce':
    await listToolsAsApplication()
    break
  default:
    throw new Error(`no such scenario: ${scenario}`)
}
