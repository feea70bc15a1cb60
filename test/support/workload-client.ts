import {
  Client,
  CrossAppAccessProvider,
  requestJwtAuthorizationGrant,
  StreamableHTTPClientTransport,
  type CrossAppAccessContext,
  type OAuthClientProvider,
  type OAuthTokens,
} from '@modelcontextprotocol/client'

/**
 * Shows the assertion of a workload for a token (SEP-1933), through the seams of the official client, which has no
 * provider of its own for this yet. Sends no client id and never registers; a refusal is not tried again.
 */
export function workloadProvider(assertion: (authorizationServer: string) => Promise<string>): OAuthClientProvider {
  let tokens: OAuthTokens | undefined
  let authorizationServer = ''
  return {
    redirectUrl: undefined,
    clientMetadata: { redirect_uris: [], grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'] },
    // The client registers itself where it has no id. None is sent: there is nothing to authenticate with.
    clientInformation: () => ({ client_id: 'unregistered' }),
    addClientAuthentication(_headers, _parameters, _url, metadata) {
      authorizationServer = metadata?.issuer ?? authorizationServer
    },
    tokens: () => tokens,
    saveTokens(saved) {
      tokens = saved
    },
    redirectToAuthorization() {
      throw new Error('a workload has no browser')
    },
    saveCodeVerifier() {},
    codeVerifier: () => '',
    saveDiscoveryState(state) {
      authorizationServer = state.authorizationServerUrl
    },
    async prepareTokenRequest(scope) {
      return new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await assertion(authorizationServer),
        ...(scope === undefined ? {} : { scope }),
      })
    },
  }
}

/** What a client needs for enterprise-managed authorization. */
export interface EnterpriseLogin {
  readonly clientId: string
  readonly clientSecret: string
  /** The one authorization server that the secret is for, where it is known. */
  readonly expectedIssuer?: string
  /** Gets the identity assertion for a server and one of its resources. */
  readonly identityAssertion: (context: CrossAppAccessContext) => Promise<string>
}

/** Shows an identity assertion for an access token (SEP-990). */
export function enterpriseProvider({
  identityAssertion,
  expectedIssuer,
  ...login
}: EnterpriseLogin): OAuthClientProvider {
  const options = { ...login, assertion: identityAssertion }
  return expectedIssuer === undefined
    ? new CrossAppAccessProvider(options)
    : new CrossAppAccessProvider({ ...options, expectedIssuer })
}

/** The identity assertion that an identity provider gives for an ID token (SEP-990, RFC 8693). */
export async function exchangeIdToken(
  identity: { readonly tokenEndpoint: string; readonly clientId: string; readonly idToken: string },
  { authorizationServerUrl, resourceUrl, scope, fetchFn }: CrossAppAccessContext,
): Promise<string> {
  const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
    ...identity,
    audience: authorizationServerUrl,
    resource: resourceUrl,
    fetchFn,
    ...(scope === undefined ? {} : { scope }),
  })
  return jwtAuthGrant
}

/** Connects the official client and lists what the server has. */
export async function listToolsWith(
  url: string,
  authProvider: OAuthClientProvider,
  mode: 'auto' | 'legacy' = 'auto',
): Promise<string[]> {
  const client = new Client({ name: 'workload', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }))
  const { tools } = await client.listTools()
  await client.close()
  return tools.map(({ name }) => name)
}
