import type { SecretName, StoredSecret, StoredUpstream } from './upstream-store.ts'
import { sealable, secretName, type UpstreamParts } from './upstream-parts.ts'
import { readTokens } from './upstream-tokens.ts'

/** Keeps access tokens fresh: one refresh at a time for each, ahead of expiry, with growing pauses after failures. */
export interface UpstreamRefresher {
  /** What is stored once a refresh that was needed is through. Never rejects for what the other side does. */
  refresh(server: StoredUpstream, secret: StoredSecret): Promise<StoredSecret | null>
  /** Gets the first token of a server that takes our client's own credentials. */
  obtain(server: StoredUpstream): Promise<StoredSecret | null>
  /** Refreshes what is about to expire in all namespaces. Answers how many were tried. */
  refreshDue(): Promise<number>
}

const firstRetryMs = 5000
const longestRetryMs = 15 * 60_000
const storeAttempts = 3

/** Makes the refresher of this process. Other processes are kept out by the version of the secret. */
export function createUpstreamRefresher(parts: UpstreamParts): UpstreamRefresher {
  const { store, vault, events, clock, config } = parts
  const underWay = new Map<string, Promise<StoredSecret | null>>()

  /** Whoever comes while one is under way gets that one's outcome. */
  function once(name: SecretName, work: () => Promise<void>): Promise<StoredSecret | null> {
    const key = JSON.stringify([name.namespace, name.server, name.ownerId, name.kind])
    const running = underWay.get(key)
    if (running !== undefined) return running
    const started = work()
      .then(() => vault.find(name))
      .finally(() => underWay.delete(key))
    underWay.set(key, started)
    return started
  }

  async function renew(server: StoredUpstream, secret: StoredSecret): Promise<void> {
    // Marked first: a mark that is found later tells that a rotated token may have been lost with a crash.
    if (!(await store.changeSecret(secret, secret.version, { refreshingSinceMs: clock.nowMs() }))) return
    const tokens = readTokens(await vault.open(secret))
    if (tokens === null) return fail(server, secret, { refused: true, reason: 'what is stored are no tokens' })
    const { refreshToken } = tokens
    if (server.method === 'oauth' && refreshToken === null)
      return fail(server, secret, { refused: true, reason: 'the authorization server gave no refresh token' })
    const client = await parts.oauthOf(server, tokens.issuer)
    if (!client.ok) return fail(server, secret, client)
    // A server that calls itself by another resource than before gets nothing that was for the former one.
    if (client.resource !== tokens.resource)
      return fail(server, secret, { refused: true, reason: 'the server is another resource than it was' })
    const outcome =
      refreshToken === null
        ? await client.oauth.clientCredentials(tokens.resource, server.scopes)
        : await client.oauth.refresh(refreshToken, tokens.resource)
    if (!outcome.ok) return fail(server, secret, outcome)
    const { value, expiresAtMs } = sealable(outcome, tokens, clock.nowMs())
    await keep(secret, value, expiresAtMs)
  }

  /** The old refresh token may be worth nothing by now, so a storage that stumbles is asked again. */
  async function keep(secret: StoredSecret, value: string, expiresAtMs: number | null): Promise<void> {
    let failure: unknown
    for (let attempt = 1; attempt <= storeAttempts; attempt += 1) {
      const [outcome] = await Promise.allSettled([vault.put(secret, value, { expiresAtMs }, secret.version)])
      if (outcome.status === 'fulfilled') return
      failure = outcome.reason
    }
    throw failure
  }

  async function fail(
    server: StoredUpstream,
    secret: StoredSecret,
    { refused, reason }: { refused: boolean; reason: string },
  ): Promise<void> {
    const failures = secret.failures + 1
    const wait = Math.min(firstRetryMs * 2 ** Math.min(secret.failures, 20), longestRetryMs)
    if (refused || failures === 1) {
      await events.record({
        type: 'upstream-refresh-failed',
        namespace: server.namespace,
        principalId: secret.ownerId === '' ? null : secret.ownerId,
        credentialId: null,
        address: '',
        facts: { server: server.name, needsConsent: refused, interrupted: secret.refreshingSinceMs !== null, reason },
      })
    }
    await store.changeSecret(secret, secret.version, {
      refreshingSinceMs: null,
      failures,
      ...(refused ? { status: 'needs-consent' as const } : { retryAtMs: clock.nowMs() + wait }),
    })
  }

  return {
    refresh: (server, secret) => once(secret, () => renew(server, secret)),
    obtain(server) {
      const name = secretName(server, '', 'tokens')
      return once(name, async () => {
        const client = await parts.oauthOf(server, null)
        if (!client.ok) return
        const outcome = await client.oauth.clientCredentials(client.resource, server.scopes)
        if (!outcome.ok) return
        const from = { issuer: client.at.issuer, resource: client.resource, refreshToken: null }
        const { value, expiresAtMs } = sealable(outcome, from, clock.nowMs())
        await events.record({
          type: 'upstream-connected',
          namespace: server.namespace,
          principalId: null,
          credentialId: null,
          address: '',
          facts: { server: server.name, method: server.method, issuer: client.at.issuer },
        })
        await vault.put(name, value, { expiresAtMs }, 0)
      })
    },
    async refreshDue() {
      const nowMs = clock.nowMs()
      const due = await store.listDue(nowMs + config.refreshAheadSeconds * 1000, nowMs)
      const tried = due.map(async (secret) => {
        const server = await store.findServer(secret.namespace, secret.server)
        if (server !== null) await once(secret, () => renew(server, secret))
      })
      await Promise.allSettled(tried)
      return due.length
    },
  }
}
