import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthenticationResult, Authenticator, DoorLimits, LimitVerdict } from '../auth/index.ts'
import type { Catalogue, Gateway, Withdrawals } from '../gateway/index.ts'
import { errorTable, isName, uuidv7, type Caller, type Clock, type ErrorCode } from '../kernel/index.ts'
import { serveOperation } from './admin/admin-endpoint.ts'
import { sessionCaller, type SessionCaller, type SessionPorts } from './admin/session-caller.ts'
import { credentialChallenge, scopeChallenge } from './check-credential.ts'
import { createClientAddress } from './client-address.ts'
import { createHostCheck } from './check-host.ts'
import { createOriginCheck } from './check-origin.ts'
import { isLoopbackHost, type HttpConfig } from './config.ts'
import type { DoorRefusal, Incident } from './door-refusal.ts'
import { createMcpServices } from './mcp/create-mcp-services.ts'
import { serveMcp } from './mcp/mcp-endpoint.ts'
import type { ServerInfo } from './mcp/server-facts.ts'
import { listenAt, type ListeningAt } from './listen-at.ts'
import { limitedDoorOf, tooMany } from './limited-door.ts'
import { readRequestHead, type RequestHead } from './request-head.ts'
import { abandonBody, sendError, sendJson, type ErrorAnswer } from './respond.ts'
import { resourceMetadataRoutes } from './resource-metadata.ts'
import { createReadClientCertificate } from './tls/client-certificate.ts'
import { createWebServer } from './tls/create-web-server.ts'
import { createRouteTable, routes, type Route } from './routes.ts'

/** Whether calls would be taken now, and if not which part refuses. Shown to strangers: names of parts only. */
export interface Health {
  readonly ok: boolean
  readonly refusing: readonly string[]
}

/** What the server is made of. */
export interface HttpServerParts {
  readonly gateway: Gateway
  readonly authenticator: Authenticator
  readonly catalogue: Pick<Catalogue, 'onChange' | 'resolve'>
  readonly config: HttpConfig
  /** The caller as it is now, `null` once its credential is no good any more; for streams that stay open. */
  refresh(caller: Caller): Caller | null
  /** Routes besides the server's own: those of the authorization server and of the sign-in pages. */
  readonly mountedRoutes?: readonly Route[]
  /** People's sessions, which open the management API and nothing else; absent where nobody signs in. */
  readonly sessions?: SessionPorts
  /** Issuer identifiers of the authorization servers whose tokens are taken; none unless told otherwise. */
  readonly authorizationServers?: (publicUrl: string) => readonly string[]
  readonly clock: Clock
  readonly serverInfo: ServerInfo
  /** Absent where nothing is limited. */
  readonly limits?: DoorLimits
  /** Ends streams and sessions of callers that lose what they were let in with, at once. */
  readonly withdrawals?: Withdrawals
  /**
   * Serves also `tools/call` of 2026-07-28 through the SDK, which is slower and must make no difference: for the
   * conformance suite.
   */
  readonly everythingThroughSdk?: boolean
  health(): Health
  /** False while this server must not act: then everything but `/healthz` is refused. Always true where absent. */
  readonly isActive?: () => boolean
  /** Told of each request refused before the pipeline. Must not throw; may drop under load. */
  recordDoorRefusal(refusal: DoorRefusal): void
  /** Told of each exception that nobody expected, with the id that the caller got. */
  reportIncident(incident: Incident): void
}

/** The HTTP server. */
export interface HttpServer {
  /** Starts to listen. Rejects where the address cannot be had. */
  listen(): Promise<ListeningAt>
  /** Takes no more requests, ends streams, gives running calls `graceMs` (5 s) to answer, then cuts them off. */
  close(graceMs?: number): Promise<void>
}

/** One request at the door. */
interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly head: RequestHead
  readonly route: Route | null
  readonly namespace: string | null
  readonly caller: Caller | null
  /** Of the client, as far as trusted proxies tell. */
  readonly address: string
}

/**
 * Makes the server: admin API, MCP endpoints and `/healthz` on node:http. Order of the checks, for every path alike:
 * well-formed head, Host, Origin, credential, route, method, scope; only `/healthz`, metadata and mounted parts go without a
 * credential.
 * Does not do compression or CORS.
 */
export function createHttpServer(parts: HttpServerParts): HttpServer {
  const { gateway, authenticator, config, clock } = parts
  const hostAllowed = createHostCheck(config)
  const clientAddress = createClientAddress(config.trustedProxies)
  const originAllowed = createOriginCheck(config)
  const metadata = resourceMetadataRoutes({
    authorizationServers: parts.authorizationServers ?? (() => []),
    certificateBound: config.tls.clientCertificates !== 'off',
  })
  const findRoute = createRouteTable([...routes, ...metadata, ...(parts.mountedRoutes ?? [])])
  let publicUrl = config.publicUrl?.replace(/\/+$/, '') ?? ''
  const mcp = createMcpServices(parts, incident)
  const readClientCertificate = createReadClientCertificate(config.tls)

  /** RFC 6797: only where TLS ends here, and not for names that other servers of the machine have too. */
  function isStrict(): boolean {
    return config.tls.certificateFile !== null && !isLoopbackHost(new URL(publicUrl).hostname.replace(/^\[|\]$/g, ''))
  }

  function incident(where: string, error: unknown): string {
    const id = uuidv7(clock.nowMs())
    parts.reportIncident({ id, where, error })
    return id
  }

  function record(visit: Visit, code: ErrorCode, reason: string): void {
    parts.recordDoorRefusal({
      code,
      status: errorTable[code].status,
      address: visit.address,
      route: visit.route?.path ?? null,
      namespace: visit.namespace,
      principalId: visit.caller?.principal.id ?? null,
      credentialId: visit.caller?.authentication.credentialId ?? null,
      reason,
    })
  }

  function refuse(visit: Visit, code: ErrorCode, reason: string, answer: ErrorAnswer = {}): void {
    record(visit, code, reason)
    abandonBody(visit.request, visit.response)
    sendError(visit.response, code, answer)
  }

  function refuseOver(visit: Visit, verdict: Extract<LimitVerdict, { ok: false }>): void {
    refuse(visit, 'rate_limited', verdict.reason, tooMany(verdict))
  }

  async function admit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const head = readRequestHead(request)
    const address = clientAddress(request.socket.remoteAddress ?? '', head)
    const stranger: Visit = { request, response, head, route: null, namespace: null, caller: null, address }
    if (head.repeated !== null) {
      return refuse(stranger, 'invalid_request', `${head.repeated} twice`, {
        message: `The header ${head.repeated} was sent twice.`,
      })
    }
    if (!hostAllowed(head.host)) return refuse(stranger, 'host_refused', 'Host')
    if (!originAllowed(head.origin, head.host)) return refuse(stranger, 'origin_refused', 'Origin')
    const match = findRoute(head.method, head.path)
    const route = match.found ? match.route : null
    // Before the credential: who may come in is known from memory, and may be out of date. Not recorded: the log refuses.
    if (parts.isActive?.() === false && route?.serve.kind !== 'health') {
      abandonBody(request, response)
      return sendError(response, 'storage_unavailable')
    }
    const door = limitedDoorOf(route)
    const [credential = null] = head.authorization
    const arrival = door === null ? undefined : await parts.limits?.arrive(door, address, credential)
    if (arrival?.ok === false) return refuseOver(stranger, arrival)
    if (match.found && match.route.access.kind === 'public') return servePublic(stranger, match.route, match.parameters)
    const presented = {
      authorization: head.authorization,
      dpop: head.dpop,
      method: head.method,
      publicUrl,
      url: `${publicUrl}${head.path}`,
      certificateSha256: readClientCertificate(request),
      address,
      claimedName: head.userAgent?.slice(0, 100) ?? null,
    }
    const session = sessionOf(head, route, presented.address)
    if (session?.ok === false) {
      const message = "A session is good for requests of this server's own pages only."
      return refuse(stranger, 'origin_refused', session.reason, { message })
    }
    const authentication: AuthenticationResult = session ?? (await authenticator.authenticate(presented))
    if (!authentication.ok) {
      const isBad = authentication.code === 'credential_invalid' || authentication.code === 'dpop_proof_invalid'
      const slowed = isBad ? await parts.limits?.failed(address, credential) : undefined
      if (slowed?.ok === false) return refuseOver(stranger, slowed)
      // The same for every path that is no namespace, and for every namespace, so that strangers cannot tell what exists.
      return refuse(stranger, authentication.code, authentication.reason, {
        headers: { ...credentialChallenge(authentication.code, presented), ...authentication.headers },
      })
    }
    for (const [name, value] of Object.entries(authentication.headers ?? {})) response.setHeader(name, value)
    const { caller } = authentication
    const namespace = match.found ? (match.parameters.namespace ?? null) : null
    const visit: Visit = {
      ...stranger,
      route,
      caller,
      namespace: namespace !== null && isName(namespace) ? namespace : null,
    }
    const admitted = await parts.limits?.admit(door ?? 'other', address, credential, caller)
    if (admitted?.ok === false) return refuseOver(visit, admitted)
    if (!match.found || route === null || route.access.kind !== 'credential') {
      const methods = match.found ? [] : match.methods
      if (methods.length === 0) return refuse(visit, 'not_found', 'no such path')
      return refuse(visit, 'method_not_allowed', 'method', { headers: { Allow: methods.join(', ') } })
    }
    const { scope } = route.access
    if (!caller.authentication.scopes.includes(scope)) {
      return refuse(visit, 'scope_missing', `scope ${scope}`, { headers: scopeChallenge(scope, caller, presented) })
    }
    const refused = (code: ErrorCode, reason: string): void => record(visit, code, reason)
    if (route.serve.kind === 'operation') {
      const { operation } = route.serve
      return serveOperation(
        { request, response, head, caller, operation, parameters: match.parameters, refused },
        { gateway, config },
      )
    }
    if (visit.namespace === null || !gateway.mayEnter(caller, visit.namespace))
      return refuse(visit, 'not_found', 'namespace')
    // Not by its credential once more: a DPoP proof is good for one request.
    const authenticateAgain = async (): Promise<Caller | null> => parts.refresh(caller)
    return serveMcp({ request, response, head, caller, namespace: visit.namespace, refused, authenticateAgain }, mcp)
  }

  /** A session opens the management API only, and only where no other credential is presented. */
  function sessionOf(head: RequestHead, route: Route | null, address: string): SessionCaller {
    if (parts.sessions === undefined || head.authorization.length > 0) return null
    if (route?.access.kind !== 'credential' || route.access.scope !== 'admin') return null
    return sessionCaller(head, publicUrl, address, parts.sessions)
  }

  async function servePublic(visit: Visit, route: Route, parameters: Readonly<Record<string, string>>): Promise<void> {
    const { request, response, head } = visit
    if (route.serve.kind === 'mounted') {
      const refused = (code: ErrorCode, reason: string): void => {
        record({ ...visit, route }, code, reason)
        if (errorTable[code].status === 401) void parts.limits?.failed(visit.address, null)
      }
      return route.serve.part({
        request,
        response,
        head,
        parameters,
        publicUrl,
        address: visit.address,
        certificateSha256: readClientCertificate(request),
        refused,
      })
    }
    abandonBody(request, response)
    const health = parts.health()
    sendJson(response, health.ok ? 200 : 503, { ok: health.ok, refusing: health.refusing })
  }

  const web = createWebServer(
    config.tls,
    {
      headersTimeout: config.headersTimeoutMs,
      requestTimeout: config.requestTimeoutMs,
      keepAliveTimeout: config.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, config.headersTimeoutMs),
      maxHeaderSize: 16 * 1024,
      requireHostHeader: true,
      insecureHTTPParser: false,
      noDelay: true,
    },
    (request, response) => {
      response.on('error', () => {})
      if (isStrict()) response.setHeader('Strict-Transport-Security', 'max-age=31536000')
      admit(request, response).catch((error: unknown) => {
        const id = incident('http', error)
        abandonBody(request, response)
        sendError(response, 'internal', { members: { incident: id } })
        // An exception in the middle of a stream leaves nothing sensible to say.
        if (response.headersSent && !response.writableEnded) response.destroy()
      })
    },
    (error) => incident('tls', error),
  )
  const { server } = web
  server.maxConnections = config.maxConnections

  return {
    async listen() {
      const at = await listenAt(web, config)
      if (publicUrl === '') publicUrl = at.url
      return at
    },
    close: (graceMs = 5000) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs)
        server.close(() => {
          clearTimeout(cut)
          resolve()
        })
        web.stop()
        mcp.subscriptions.close()
        server.closeIdleConnections()
      }),
  }
}
