import { createWebFetch, publicAddressesOnly } from '../../egress/index.ts'
import type { AuthorizationServer, AuthorizationServerSite } from './authorization-server.ts'
import type { AuthorizationServerParts } from './authorization-server-parts.ts'
import { createClientDirectory } from './client-directory.ts'
import { createClientDocuments } from './client-document.ts'
import type { AuthorizationServerConfig } from './config.ts'
import { createSite } from './create-site.ts'
import { accessTokenSeconds } from './issue-access-token.ts'
import { createOAuthClients } from './oauth-clients.ts'
import { createRevokedTokens } from './revoked-tokens.ts'
import { createSigningKeys } from './signing-keys.ts'

/**
 * Loads keys, clients and revocations, and makes the first signing key at first start.
 * @throws McpworksError `storage_unavailable`
 */
export async function createAuthorizationServer(parts: AuthorizationServerParts): Promise<AuthorizationServer> {
  const { config, store, clock, fetch } = parts
  const keys = await createSigningKeys({
    store: parts.keyStore,
    masterKey: parts.masterKey,
    clock,
    algorithm: config.signingAlgorithm,
    maxAgeMs: config.signingKeyDays * 86_400_000,
    publishedAfterMs: (accessTokenSeconds + 60) * 1000,
  })
  const clients = await createOAuthClients(parts.clientStore, clock)
  const revoked = await createRevokedTokens(store, clock)
  const grantTypes = parts.grants.map((grant) => grant.grantType)
  const directory = createClientDirectory({
    registry: parts.registry,
    clients,
    grantTypes,
    readDocument: createClientDocuments({
      fetch,
      clock,
      addresses: { networks: config.clientDocumentNetworks },
      isHostTaken: (host) => takesDocumentsOf(config, host),
      grantTypes,
    }),
  })
  const webFetch = createWebFetch(fetch, {
    purpose: 'client-keys',
    maxBytes: 64 * 1024,
    timeoutMs: 4000,
    allow: publicAddressesOnly,
  })
  let site: AuthorizationServerSite | null = null
  return {
    clients,
    keys: { find: keys.find, rotate: keys.rotate, isRevoked: revoked.has },
    at(publicUrl) {
      site ??= createSite(publicUrl, { ...parts, keys, revoked, clients, directory, webFetch })
      return site
    },
    async tend() {
      await keys.tend()
      await store.sweep(clock.nowMs())
    },
  }
}

function takesDocumentsOf(config: AuthorizationServerConfig, host: string): boolean {
  const name = host.replace(/:\d+$/, '')
  const isListed = (list: readonly string[]): boolean =>
    list.some((entry) => (entry.startsWith('*.') ? name.endsWith(entry.slice(1)) : name === entry))
  if (config.clientDocuments === 'off' || isListed(config.refusedClientHosts)) return false
  return config.clientDocuments === 'public' || isListed(config.clientDocumentHosts)
}
