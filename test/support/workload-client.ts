import {
  Client,
  CrossAppAccessProvider,
  requestJwtAuthorizationGrant,
  StreamableHTTPClientTransport,
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
  readonly identityTokenEndpoint: string
  readonly identityClientId: string
  readonly idToken: string
}

/** Exchanges an ID token for an identity assertion at the identity provider, and that for an access token (SEP-990). */
export function enterpriseProvider(login: EnterpriseLogin): OAuthClientProvider {
  return new CrossAppAccessProvider({
    clientId: login.clientId,
    clientSecret: login.clientSecret,
    assertion: async ({ authorizationServerUrl, resourceUrl, scope, fetchFn }) => {
      const { jwtAuthGrant } = await requestJwtAuthorizationGrant({
        tokenEndpoint: login.identityTokenEndpoint,
        audience: authorizationServerUrl,
        resource: resourceUrl,
        idToken: login.idToken,
        clientId: login.identityClientId,
        fetchFn,
        ...(scope === undefined ? {} : { scope }),
      })
      return jwtAuthGrant
    },
  })
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
