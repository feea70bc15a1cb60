import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import type { ActiveCredential } from '../identity-registry.ts'
import type { OAuthClient } from './oauth-client.ts'

/**
 * A client of an agent itself (RFC 6749 section 4.4), from its credential in the registry: the id is the credential's.
 * Its only tokens are the agent's own.
 */
export function agentClient({ credential, principal }: ActiveCredential, grantTypes: readonly string[]): OAuthClient {
  const { details } = credential
  return {
    id: credential.id,
    name: credential.label === '' ? principal.id : credential.label,
    source: 'agent',
    host: null,
    metadata: {
      client_id: credential.id,
      client_name: principal.id,
      application_type: 'native',
      grant_types: ['client_credentials', ...grantTypes],
      response_types: [],
      redirect_uris: [],
      dpop_bound_access_tokens: details.dpop === true,
      ...authenticationOf(details),
    },
  }
}

function authenticationOf(details: JsonObject): JsonObject {
  if (details.method === 'private_key_jwt' && isJsonObject(details.jwks))
    return { token_endpoint_auth_method: 'private_key_jwt', jwks: details.jwks }
  // A client without a good description gets a secret that no text hashes to.
  const secret = typeof details.secretSha256 === 'string' ? details.secretSha256 : 'none'
  return { token_endpoint_auth_method: 'client_secret_basic', client_secret: secret }
}
