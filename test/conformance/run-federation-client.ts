import { isJsonObject } from '../../src/kernel/index.ts'
import { enterpriseProvider, exchangeIdToken, listToolsWith, workloadProvider } from '../support/workload-client.ts'

// The client under test of the official scenarios of workload identity and enterprise-managed authorization. The runner
// starts it with the address of its server as last argument and what else there is to know in the environment.

const url = process.argv.at(-1) ?? ''
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? ''
const context: unknown = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}')
const given = (name: string): string => (isJsonObject(context) ? String(context[name]) : '')

const provider =
  scenario === 'auth/enterprise-managed-authorization'
    ? enterpriseProvider({
        clientId: given('client_id'),
        clientSecret: given('client_secret'),
        identityAssertion: (wanted) =>
          exchangeIdToken(
            {
              tokenEndpoint: given('idp_token_endpoint'),
              clientId: given('idp_client_id'),
              idToken: given('idp_id_token'),
            },
            wanted,
          ),
      })
    : workloadProvider(async () => given('valid_jwt'))
await listToolsWith(url, provider, 'legacy')
