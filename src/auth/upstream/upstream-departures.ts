import { hash, randomBytes } from 'node:crypto'
import { McpworksError } from '../../kernel/index.ts'
import { discoverUpstream, type AuthorizationServer } from './discover-upstream.ts'
import {
  createUpstreamOAuth,
  registerAtUpstream,
  type AuthorizationRequest,
  type UpstreamClient,
} from './upstream-client.ts'
import { sealable, secretName, type UpstreamParts } from './upstream-parts.ts'
import type { StoredUpstream } from './upstream-store.ts'

/** A person who is about to leave for an authorization server. */
export interface Departure {
  readonly namespace: string
  readonly name: string
  readonly userId: string
  readonly sessionId: string
  /** Where our pages are, without a slash at the end. */
  readonly origin: string
}

/** Where a person is sent, and for what. */
export interface Destination {
  /** For the browser of that session alone. Not to be logged, stored or given to a program. */
  readonly url: string
  readonly host: string
  readonly issuer: string
  readonly scopes: readonly string[]
}

/** Who came back. */
export interface Returning {
  readonly sessionId: string
  readonly userId: string
  readonly address: string
}

/** How a person came back. `reason` is in our words. */
export type Arrival =
  | { readonly ok: true; readonly namespace: string; readonly name: string }
  | { readonly ok: false; readonly reason: string }

/** People on their way to authorization servers and back. */
export interface UpstreamDepartures {
  /** @throws McpworksError `unknown_object`, `invalid_request`, `upstream_refused` */
  depart(departure: Departure): Promise<Destination>
  /** Takes the answer that the browser brought. Its state is good once, for the session that left. */
  arrive(callback: URL, who: Returning): Promise<Arrival>
}

interface UnderWay extends Departure {
  /** As it was when the person left. */
  readonly server: StoredUpstream
  readonly request: AuthorizationRequest
  readonly at: AuthorizationServer
  readonly client: UpstreamClient
  readonly expiresAtMs: number
}

const maxUnderWay = 1000

/** Path of the callback; an authorization server that does not send `iss` gets one of its own below it. */
const callbackPath = '/oauth/upstream/callback'

/** Makes it. What is under way is in memory: after a restart a person sets out again. */
export function createUpstreamDepartures(parts: UpstreamParts): UpstreamDepartures {
  const { store, fetch, checkTarget, events, clock, config } = parts
  const ports = { fetch, checkTarget, allow: { networks: config.networks } }
  const underWay = new Map<string, UnderWay>()

  function forgetOld(): void {
    for (const [state, { expiresAtMs }] of underWay) if (expiresAtMs <= clock.nowMs()) underWay.delete(state)
    if (underWay.size >= maxUnderWay) throw new McpworksError('overloaded')
  }

  /** Another server may have been added by the name since: what is meant for this one must not go there. */
  async function isStillThere({ namespace, name, url, createdAtMs }: StoredUpstream): Promise<boolean> {
    const now = await store.findServer(namespace, name)
    return now !== null && now.createdAtMs === createdAtMs && now.url === url
  }

  /** Our client there: given to us, our metadata document, or registered now. */
  async function clientFor(
    server: StoredUpstream,
    at: AuthorizationServer,
    redirectUri: string,
    origin: string,
  ): Promise<UpstreamClient> {
    const secret = await parts.openSecret(secretName(server, '', 'client'))
    if (server.clientId !== null) return { clientId: server.clientId, secret }
    const made =
      at.takesMetadataDocuments && at.sendsIssuer && origin.startsWith('https:')
        ? { clientId: `${origin}/oauth/upstream/client.json`, secret: null }
        : await registered(server, at, redirectUri)
    if (made.secret !== null) await parts.replaceSecret(secretName(server, '', 'client'), made.secret, null)
    await store.setClientId(server.namespace, server.name, made.clientId)
    return made
  }

  async function registered(server: StoredUpstream, at: AuthorizationServer, redirectUri: string) {
    if (at.registrationEndpoint === null)
      throw refused(
        server,
        `the authorization server lets no client register itself: register one there with the redirect URI ${redirectUri} and add this server again with its id`,
      )
    const made = await registerAtUpstream(at.registrationEndpoint, redirectUri, ports)
    if (!made.ok) throw refused(server, made.reason)
    return made
  }

  return {
    async depart(departure) {
      const { namespace, name, origin } = departure
      forgetOld()
      const server = await parts.mustFind(namespace, name)
      if (server.method !== 'oauth')
        throw new McpworksError('invalid_request', { message: `${namespace}/${name} takes no person's consent.` })
      const found = await discoverUpstream(server.url, server.issuer, ports)
      if (!found.ok) throw refused(server, found.problem)
      if (found.server.authorizationEndpoint === null) throw refused(server, 'there is no authorization endpoint')
      // Without `iss` in the answer, only an address of its own tells whose answer it is (RFC 9700 section 4.4.2.2).
      const own = found.server.sendsIssuer ? '' : `/${callbackId(server, found.server.issuer)}`
      const request: AuthorizationRequest = {
        redirectUri: `${origin}${callbackPath}${own}`,
        state: randomBytes(32).toString('base64url'),
        verifier: randomBytes(32).toString('base64url'),
        resource: found.resource,
        scopes: server.scopes,
      }
      const client = await clientFor(server, found.server, request.redirectUri, origin)
      const url = await createUpstreamOAuth(found.server, client, ports).authorizationUrl(request)
      const expiresAtMs = clock.nowMs() + config.connectSeconds * 1000
      underWay.set(request.state, { ...departure, server, request, at: found.server, client, expiresAtMs })
      const { host } = new URL(found.server.authorizationEndpoint)
      return { url, host, issuer: found.server.issuer, scopes: server.scopes }
    },
    async arrive(callback, who) {
      const state = callback.searchParams.getAll('state')
      const left = state.length === 1 ? underWay.get(state[0] ?? '') : undefined
      if (left === undefined) return { ok: false, reason: 'nobody left with this state, or has come back already' }
      // A state that another session brings stays good for the one that it belongs to.
      if (left.sessionId !== who.sessionId || left.userId !== who.userId)
        return { ok: false, reason: 'the state belongs to another session' }
      underWay.delete(left.request.state)
      if (left.expiresAtMs <= clock.nowMs()) return { ok: false, reason: 'it took too long' }
      if (`${callback.origin}${callback.pathname}` !== left.request.redirectUri)
        return { ok: false, reason: 'the answer came to another address than that of this authorization server' }
      const { server } = left
      if (!(await isStillThere(server))) return { ok: false, reason: 'the server is not there any more' }
      const oauth = createUpstreamOAuth(left.at, left.client, ports)
      const outcome = await oauth.redeem(callback, left.request)
      if (!outcome.ok) return { ok: false, reason: outcome.reason }
      const { issuer } = left.at
      try {
        if (!(await isStillThere(server))) throw refused(server, 'it was removed while its tokens were fetched')
        await events.record({
          type: 'upstream-connected',
          namespace: left.namespace,
          principalId: who.userId,
          credentialId: who.sessionId,
          address: who.address,
          facts: { server: left.name, method: server.method, owner: server.owner, issuer, scopes: [...server.scopes] },
        })
        const from = { issuer, resource: left.request.resource, refreshToken: null }
        const { value, expiresAtMs } = sealable(outcome, from, clock.nowMs())
        await parts.replaceSecret(secretName(server, ownerOf(server, who.userId), 'tokens'), value, expiresAtMs)
      } catch (error) {
        // Nobody will use them: they must not stay good where they came from.
        await oauth.revoke(outcome.refreshToken ?? outcome.accessToken)
        throw error
      }
      return { ok: true, namespace: left.namespace, name: left.name }
    },
  }
}

/** Whose credential a user's connection is. */
function ownerOf({ owner }: StoredUpstream, userId: string): string {
  return owner === 'namespace' ? '' : userId
}

/** The same for the same server and issuer, and tells neither. */
function callbackId({ namespace, name, createdAtMs }: StoredUpstream, issuer: string): string {
  return hash('sha256', JSON.stringify([namespace, name, createdAtMs, issuer]), 'hex').slice(0, 24)
}

function refused({ namespace, name }: StoredUpstream, problem: string): McpworksError {
  return new McpworksError('upstream_refused', { message: `${namespace}/${name}: ${problem}.` })
}
