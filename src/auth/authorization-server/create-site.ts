import { errors, Provider, type AdapterPayload, type KoaContextWithOIDC } from 'oidc-provider'
import type { WebFetch } from '../../egress/index.ts'
import { McpworksError } from '../../kernel/index.ts'
import { browserOrigin } from '../people/browser-origin.ts'
import { createArtifactAdapters } from './artifact-adapter.ts'
import type { AuthorizationServerSite, Consent, ConsentAnswer, ConsentQuestion } from './authorization-server.ts'
import { noClient } from './client-directory.ts'
import type { AuthorizationServerParts } from './authorization-server-parts.ts'
import { createProvider } from './create-provider.ts'
import { endpoints } from './endpoints.ts'
import type { FrontRequest, LibraryResponse } from './front-request.ts'
import { createAccessTokenIssuer } from './issue-access-token.ts'
import { libraryRequest } from './library-request.ts'
import { tellRefusals } from './library-refusals.ts'
import { mintOwnTokens } from './mint-own-tokens.ts'
import type { ClientDirectory } from './oauth-client.ts'
import type { OAuthClients } from './oauth-clients.ts'
import { namespaceResource, readResource } from './protected-resource.ts'
import { readOwnToken, type PresentedToken } from './read-own-token.ts'
import { parseRegistration, registerClient, type RegistrationOutcome } from './register-client.ts'
import { registerGrants } from './registered-grants.ts'
import { revokeGrant } from './revoke-grant.ts'
import type { RevokedTokens } from './revoked-tokens.ts'
import { serverMetadata } from './server-metadata.ts'
import type { SigningKeys } from './signing-keys.ts'
import { surplusGrants } from './surplus-grants.ts'

/** What a site stands on besides. */
export interface SiteParts extends AuthorizationServerParts {
  readonly keys: SigningKeys
  readonly revoked: RevokedTokens
  readonly clients: OAuthClients
  readonly directory: ClientDirectory
  readonly webFetch: WebFetch
}

/** Sets everything up under one issuer identifier, which never changes: it is in every token. */
export function createSite(issuer: string, parts: SiteParts): AuthorizationServerSite {
  const { config, registry, events, clock, store, masterKey, keys, revoked, directory, grants } = parts
  const browser = browserOrigin(issuer)
  /** What the library works on now, as it came. */
  const fronts = new WeakMap<object, FrontRequest>()
  /** The access token of a revocation request, which the library knows by its id alone. */
  const presented = new WeakMap<object, PresentedToken>()

  const endGrant = (grantId: string, why: string): Promise<void> => revokeGrant(grantId, why, parts)
  const adapters = createArtifactAdapters({ store, masterKey, clock, clients: directory, revokeGrant: endGrant })
  const provider = createProvider({
    issuer,
    browserOrigin: browser.origin,
    secureCookies: browser.secureCookies,
    cookieSuffix: new URL(browser.origin).port,
    adapters: (model) => (model === 'AccessToken' ? tokenAdapter() : adapters(model)),
    nonceSecret: masterKey.derive('oauth dpop nonces'),
    requireNonce: parts.requireDpopNonce,
    refreshIdleSeconds: config.refreshIdleDays * 86_400,
    resourceOf(clientId) {
      const namespace = registry.findActiveCredential(clientId)?.principal.namespace ?? null
      return namespace === null ? null : namespaceResource(issuer, namespace)
    },
    isPersonActive: (userId) => registry.findActivePrincipal(userId)?.type === 'user',
    fetch: (url, init) => parts.webFetch(url, init),
    errorPage: parts.errorPage,
  })
  const issue = createAccessTokenIssuer({ issuer, registry, keys, events, clock })
  const addressOf = (request: object): string => fronts.get(request)?.address ?? ''
  mintOwnTokens(provider, issue, mustFindFront)
  registerGrants(provider, grants, { issuer, issue, frontOf: mustFindFront, checkProof })
  tellRefusals(provider, { events, registry, addressOf, reportIncident: parts.reportIncident })
  const callback = provider.callback()

  function mustFindFront(request: object): FrontRequest {
    const front = fronts.get(request)
    if (front === undefined) throw new Error('a request that did not come through the front')
    return front
  }

  async function checkProof(ctx: KoaContextWithOIDC, proof: string): Promise<string> {
    const url = `${issuer}${endpoints.token}`
    const checked = await parts.proofs.verify({
      proofs: [proof],
      method: 'POST',
      url,
      accessTokenSha256: null,
      thumbprint: null,
    })
    ctx.set({ ...checked.headers })
    if (checked.ok) return checked.thumbprint
    throw checked.code === 'dpop_nonce_required'
      ? new errors.UseDpopNonce('nonce is required in the DPoP proof')
      : new errors.InvalidDpopProof('the DPoP proof is not good for this request')
  }

  /** Access tokens are not stored. For a revocation the one that was presented is found, and marked. */
  function tokenAdapter(): ReturnType<typeof adapters> {
    const current = (): PresentedToken | undefined => presented.get(Provider.ctx?.req ?? {})
    return {
      ...adapters('AccessToken'),
      async find(id): Promise<AdapterPayload | undefined> {
        const token = current()
        if (token === undefined || token.tokenId !== id) return undefined
        const grantId = registry.findCredential(token.credentialId)?.kind === 'grant' ? token.credentialId : undefined
        const { clientId, expiresAtSeconds: exp } = token
        return { kind: 'AccessToken', jti: id, clientId, exp, ...(grantId === undefined ? {} : { grantId }) }
      },
      async destroy() {
        const token = current()
        if (token !== undefined) await revoked.add(token.tokenId, token.expiresAtSeconds * 1000)
      },
    }
  }

  async function serve(front: FrontRequest, response: LibraryResponse): Promise<void> {
    const token = front.path === endpoints.revoke ? await presentedToken(front) : null
    const request = libraryRequest(token === null ? withClient(front, grants) : withTokenId(front, token))
    fronts.set(request, front)
    if (token !== null) presented.set(request, token)
    await callback(request, response)
  }

  async function presentedToken({ body }: FrontRequest): Promise<PresentedToken | null> {
    const text = new URLSearchParams(body.toString('latin1')).get('token') ?? ''
    return text.includes('.') ? readOwnToken(text, issuer, keys, clock.nowMs()) : null
  }

  async function findQuestion(
    front: FrontRequest,
    response: LibraryResponse,
    id: string,
  ): Promise<ConsentQuestion | null> {
    const details = await provider.interactionDetails(libraryRequest(front), response).catch((error: unknown) => {
      if (error instanceof errors.SessionNotFound) return null
      throw error
    })
    if (details === null || details.uid !== id) return null
    const { client_id: clientId, redirect_uri: redirectUri, resource, prompt } = details.params
    const client = typeof clientId === 'string' ? await directory.find(clientId) : null
    const target = typeof resource === 'string' ? readResource(issuer, resource) : null
    if (client === null || typeof redirectUri !== 'string' || typeof resource !== 'string') return null
    if (target?.kind !== 'namespace') return null
    return { id, client, redirectUri, resource, namespace: target.namespace, mustAsk: typeof prompt === 'string' }
  }

  async function answerQuestion(front: FrontRequest, response: LibraryResponse, answer: ConsentAnswer): Promise<void> {
    const result = answer.agreed
      ? { login: { accountId: answer.userId, remember: false }, consent: { grantId: answer.grantId } }
      : { error: 'access_denied', error_description: 'the person refused' }
    await provider.interactionFinished(libraryRequest(front), response, result, { mergeWithLastSubmission: false })
  }

  async function grant(consent: Consent): Promise<{ grantId: string }> {
    const { question, userId, agentId, seconds } = consent
    const agent = registry.findActivePrincipal(agentId)
    // Whatever the page offered: nobody lets a client act as somebody else's agent, or as one of another namespace.
    if (agent?.type !== 'agent' || agent.ownerId !== userId || agent.namespace !== question.namespace)
      throw new McpworksError('denied', { message: 'That agent is not yours to act as.' })
    const expiresAtMs = clock.nowMs() + Math.min(seconds, config.grantMaxDays * 86_400) * 1000
    const credential = await registry.addCredential(agentId, {
      kind: 'grant',
      label: question.client.name,
      scopes: ['mcp'],
      expiresAtMs,
      details: {
        clientId: question.client.id,
        clientSource: question.client.source,
        userId,
        redirectUri: question.redirectUri,
        resource: question.resource,
      },
    })
    try {
      await events.record({
        type: 'consent-given',
        namespace: agent.namespace,
        principalId: agentId,
        credentialId: credential.id,
        address: consent.address,
        facts: {
          person: userId,
          session: consent.sessionId,
          client: question.client.id,
          clientSource: question.client.source,
          redirect: new URL(question.redirectUri).host,
          resource: question.resource,
          scopes: ['mcp'],
          expiresAtMs,
          asked: consent.asked,
        },
      })
      const seconds = Math.floor((expiresAtMs - clock.nowMs()) / 1000)
      const stored = new provider.Grant({ accountId: userId, clientId: question.client.id })
      // The library's grant and the registry's credential are one: each finds the other by its id.
      Object.assign(stored, { jti: credential.id, expiresIn: seconds })
      stored.addResourceScope(question.resource, 'mcp')
      await stored.save()
      for (const id of surplusGrants(credential, registry)) await endGrant(id, 'newer grants for the same')
    } catch (error) {
      await registry.revokeCredential(agent.namespace, credential.id)
      throw error
    }
    return { grantId: credential.id }
  }

  async function register(front: FrontRequest): Promise<RegistrationOutcome | null> {
    if (config.registration === 'off') return null
    const metadata = parseRegistration(front.body)
    if (metadata === null)
      return { ok: false, error: 'invalid_client_metadata', description: 'the body must be a JSON object' }
    const { address } = front
    return registerClient(metadata, { config, clients: parts.clients, events, nowMs: clock.nowMs(), address })
  }

  return {
    issuer,
    browserOrigin: browser.origin,
    register,
    metadata: () =>
      serverMetadata({
        issuer,
        browserOrigin: browser.origin,
        grantTypes: grants.map(({ grantType }) => grantType),
        grantProfiles: grants.flatMap(({ profiles = [] }) => profiles),
        documentsTaken: config.clientDocuments !== 'off',
        registrationOpen: config.registration !== 'off',
        bindsToCertificates: parts.bindsToCertificates,
      }),
    publicKeys: keys.publicJwks,
    issue,
    serve,
    findQuestion,
    answerQuestion,
    grant,
  }
}

/** oidc-provider takes no request without a client, and some grants have none: a stand-in is named for them. */
function withClient(front: FrontRequest, grants: SiteParts['grants']): FrontRequest {
  if (front.path !== endpoints.token || front.authorization !== undefined) return front
  const parameters = new URLSearchParams(front.body.toString('latin1'))
  if (!grants.some(({ grantType }) => grantType === parameters.get('grant_type'))) return front
  if (parameters.has('client_id') || parameters.has('client_assertion')) return front
  return { ...front, body: Buffer.concat([front.body, Buffer.from(`&client_id=${encodeURIComponent(noClient)}`)]) }
}

/** It refuses to look at structured tokens; by its id, this one is like any other. */
function withTokenId(front: FrontRequest, token: PresentedToken): FrontRequest {
  const parameters = new URLSearchParams(front.body.toString('latin1'))
  parameters.set('token', token.tokenId)
  parameters.set('token_type_hint', 'access_token')
  return { ...front, body: Buffer.from(parameters.toString()) }
}
