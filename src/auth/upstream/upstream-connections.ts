import { McpworksError } from '../../kernel/index.ts'
import { checkEndpoint } from './check-endpoint.ts'
import { endpointRules } from './discover-upstream.ts'
import { createUpstreamDepartures, type UpstreamDepartures } from './upstream-departures.ts'
import {
  createUpstreamParts,
  secretName,
  type CredentialOutcome,
  type Doer,
  type UpstreamPorts,
} from './upstream-parts.ts'
import { createUpstreamRefresher } from './upstream-refresher.ts'
import type { SecretKind, StoredSecret, StoredUpstream } from './upstream-store.ts'
import { readTokens } from './upstream-tokens.ts'

/** A server with the state of its credentials. Holds no secret. */
export interface UpstreamSummary extends StoredUpstream {
  readonly credentials: readonly Pick<
    StoredSecret,
    'ownerId' | 'kind' | 'status' | 'expiresAtMs' | 'failures' | 'changedAtMs'
  >[]
}

/** Third-party servers of namespaces, and the credentials for them. */
export interface UpstreamConnections extends UpstreamDepartures {
  /** @throws McpworksError `already_exists`, `invalid_request` for a URL that may not be used */
  add(server: Omit<StoredUpstream, 'createdAtMs' | 'createdBy'>, by: Doer): Promise<StoredUpstream>
  list(namespace: string): Promise<UpstreamSummary[]>
  /** @throws McpworksError `unknown_object` */
  show(namespace: string, name: string): Promise<UpstreamSummary>
  /** Disconnects everybody, then removes it. @throws McpworksError `unknown_object`, `audit_unavailable` */
  remove(namespace: string, name: string, by: Doer): Promise<void>
  /** Stores the value of a header, or the secret of our client there. @throws McpworksError `invalid_request` */
  setSecret(
    at: {
      readonly namespace: string
      readonly name: string
      readonly ownerId: string
      readonly kind: Exclude<SecretKind, 'tokens'>
    },
    value: string,
    by: Doer,
  ): Promise<void>
  /** Revokes at the authorization server where that can be done, and forgets. @throws McpworksError `unknown_object` */
  disconnect(namespace: string, name: string, ownerId: string, by: Doer): Promise<{ readonly revoked: boolean }>
  /** The credential as it is to be sent now. Waits for a refresh where it has expired; never answers one that has. */
  credential(namespace: string, name: string, ownerId: string): Promise<CredentialOutcome>
  /** Refreshes what is about to expire. Answers how many were tried. */
  refreshDue(): Promise<number>
}

/** A token that is refused for its age on arrival is worth nothing. */
const clockSkewMs = 5000

/** Makes the connections. */
export function createUpstreamConnections(ports: UpstreamPorts): UpstreamConnections {
  const parts = createUpstreamParts(ports)
  const { store, vault, events, clock, config } = parts
  const refresher = createUpstreamRefresher(parts)

  async function summaryOf(server: StoredUpstream): Promise<UpstreamSummary> {
    const secrets = await store.listSecrets(server.namespace, server.name)
    const credentials = secrets.map(({ ownerId, kind, status, expiresAtMs, failures, changedAtMs }) => ({
      ownerId,
      kind,
      status,
      expiresAtMs,
      failures,
      changedAtMs,
    }))
    return { ...server, credentials }
  }

  async function revoke(server: StoredUpstream, secret: StoredSecret): Promise<boolean> {
    if (secret.kind !== 'tokens') return false
    const [opened] = await Promise.allSettled([vault.open(secret)])
    const tokens = opened.status === 'fulfilled' ? readTokens(opened.value) : null
    // What cannot be opened cannot be revoked either; it is still forgotten.
    if (tokens === null) return false
    const client = await parts.oauthOf(server, tokens.issuer)
    return client.ok && client.oauth.revoke(tokens.refreshToken ?? tokens.accessToken)
  }

  async function disconnect(namespace: string, name: string, ownerId: string, by: Doer): Promise<{ revoked: boolean }> {
    const server = await parts.mustFind(namespace, name)
    const kind = server.method === 'header' ? 'header' : 'tokens'
    const secret = await vault.find(secretName(server, ownerId, kind))
    if (secret === null)
      throw new McpworksError('unknown_object', { message: `${namespace}/${name} is not connected.` })
    await events.record({
      type: 'upstream-disconnected',
      namespace,
      principalId: by.principalId,
      credentialId: null,
      address: by.address,
      facts: { server: name, owner: ownerId === '' ? 'namespace' : ownerId },
    })
    // Forgotten here whatever the other side says; asked to forget there first, while we still can.
    const revoked = await revoke(server, secret)
    await store.removeSecret(secret)
    return { revoked }
  }

  /** The tokens that are good now, with a refresh where one is needed. */
  async function freshTokens(server: StoredUpstream, ownerId: string): Promise<StoredSecret | null> {
    const found = await vault.find(secretName(server, ownerId, 'tokens'))
    if (found === null) return server.method === 'client-credentials' ? refresher.obtain(server) : null
    if (found.status !== 'connected' || found.expiresAtMs === null) return found
    const leftMs = found.expiresAtMs - clock.nowMs()
    const mayTry = found.retryAtMs === null || found.retryAtMs <= clock.nowMs()
    if (leftMs > config.refreshAheadSeconds * 1000 || !mayTry) return found
    const refreshed = refresher.refresh(server, found)
    if (leftMs <= clockSkewMs) return refreshed
    // The old one serves while the new one is under way; what came of it shows next time.
    refreshed.catch(() => null)
    return found
  }

  return {
    ...createUpstreamDepartures(parts),
    async add(server, by) {
      for (const url of [server.url, ...(server.issuer === null ? [] : [server.issuer])]) {
        const verdict = checkEndpoint(url, endpointRules(server.url, server.issuer, { networks: config.networks }))
        if (!verdict.ok) throw new McpworksError('invalid_request', { message: `The URL ${verdict.problem}.` })
        if (verdict.url.search !== '')
          throw new McpworksError('invalid_request', { message: 'The URL must have no query.' })
      }
      const stored = { ...server, createdAtMs: clock.nowMs(), createdBy: by.principalId }
      await store.insertServer(stored)
      return stored
    },
    list: async (namespace) => Promise.all((await store.listServers(namespace)).map(summaryOf)),
    show: async (namespace, name) => summaryOf(await parts.mustFind(namespace, name)),
    async remove(namespace, name, by) {
      const server = await parts.mustFind(namespace, name)
      for (const { ownerId, kind } of await store.listSecrets(namespace, name))
        if (kind !== 'client') await disconnect(namespace, name, ownerId, by)
      await store.removeServer(server.namespace, server.name)
    },
    async setSecret({ namespace, name, ownerId, kind }, value, by) {
      const server = await parts.mustFind(namespace, name)
      if ((kind === 'header') !== (server.method === 'header'))
        throw new McpworksError('invalid_request', {
          message:
            kind === 'header'
              ? `${namespace}/${name} is connected by OAuth: it takes the secret of a client only.`
              : `${namespace}/${name} takes the value of a header, not the secret of a client.`,
        })
      if (!/^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/.test(value))
        throw new McpworksError('invalid_request', { message: 'The secret cannot stand in a header.' })
      await events.record({
        type: 'upstream-connected',
        namespace,
        principalId: by.principalId,
        credentialId: null,
        address: by.address,
        facts: { server: name, method: server.method, secret: kind, owner: ownerId === '' ? 'namespace' : ownerId },
      })
      await parts.replaceSecret(secretName(server, ownerId, kind), value, null)
    },
    disconnect,
    async credential(namespace, name, ownerId) {
      const server = await store.findServer(namespace, name)
      if (server === null) return { ok: false, reason: 'unknown-server', detail: 'there is no such server' }
      const secret =
        server.method === 'header'
          ? await vault.find(secretName(server, ownerId, 'header'))
          : await freshTokens(server, ownerId)
      if (secret === null) return { ok: false, reason: 'not-connected', detail: 'nobody has connected it' }
      if (secret.status !== 'connected')
        return { ok: false, reason: 'needs-consent', detail: 'the authorization server refused to go on' }
      if (secret.expiresAtMs !== null && secret.expiresAtMs <= clock.nowMs() + clockSkewMs)
        return { ok: false, reason: 'unavailable', detail: 'the token has expired and no new one could be had' }
      const opened = await vault.open(secret)
      const value = secret.kind === 'tokens' ? readTokens(opened)?.accessToken : opened
      if (value === undefined) return { ok: false, reason: 'unavailable', detail: 'what is stored are no tokens' }
      const { origin } = new URL(server.url)
      return {
        ok: true,
        credential: { origin, header: server.header, value: `${server.prefix}${value}`, secret: value },
      }
    },
    refreshDue: () => refresher.refreshDue(),
  }
}
