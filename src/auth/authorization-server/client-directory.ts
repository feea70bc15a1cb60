import type { IdentityRegistry } from '../identity-registry.ts'
import { agentClient } from './agent-client.ts'
import type { ClientDirectory, OAuthClient } from './oauth-client.ts'
import type { OAuthClients } from './oauth-clients.ts'

/** Where clients come from. */
export interface ClientDirectoryParts {
  readonly registry: Pick<IdentityRegistry, 'findActiveCredential'>
  readonly clients: Pick<OAuthClients, 'find'>
  /** Reads the document at a client's URL; `null` where there is none that is good. */
  readonly readDocument: (url: string) => Promise<OAuthClient | null>
  /** Grant types besides those of oidc-provider. */
  readonly grantTypes: readonly string[]
}

/** Id of the client that stands in where a request names none: oidc-provider takes no request without one. */
export const noClient = 'mcpworks:no-client'

/**
 * Looks clients up: agents' own by the id of their credential, those of operators and registrations in the store,
 * others by their document. The kinds of id do not overlap.
 */
export function createClientDirectory(parts: ClientDirectoryParts): ClientDirectory {
  const { registry, clients, readDocument, grantTypes } = parts
  return {
    async find(id) {
      if (id === noClient) return standIn(grantTypes)
      if (id.startsWith('https://')) return readDocument(id)
      const stored = clients.find(id)
      if (stored !== null) return stored
      const active = registry.findActiveCredential(id)
      return active?.credential.kind === 'client' ? agentClient(active, grantTypes) : null
    },
  }
}

function standIn(grantTypes: readonly string[]): OAuthClient {
  return {
    id: noClient,
    name: '',
    source: 'registration',
    host: null,
    metadata: {
      client_id: noClient,
      application_type: 'native',
      grant_types: [...grantTypes],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'none',
    },
  }
}
