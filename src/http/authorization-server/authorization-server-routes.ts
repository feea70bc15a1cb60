import {
  authorizationEndpoints,
  type AuthorizationServer,
  type AuthorizationServerSite,
  type FrontRequest,
} from '../../auth/index.ts'
import { isJsonContent } from '../content-type.ts'
import { sendError, sendJson } from '../respond.ts'
import type { MountedPart, MountedRequest, Route } from '../routes.ts'
import { errorPage, sendPage } from './page.ts'
import { readFront } from './read-front.ts'
import { serveConsent, type ConsentParts } from './serve-consent.ts'

/** What the routes stand on. */
export interface AuthorizationRoutesParts extends ConsentParts {
  readonly server: AuthorizationServer
}

type Serve = (mounted: MountedRequest, front: FrontRequest, site: AuthorizationServerSite) => Promise<void> | void

/** The routes of the embedded authorization server. All of them answer strangers: they are how one gets a credential. */
export function authorizationServerRoutes(parts: AuthorizationRoutesParts): Route[] {
  const part =
    (serve: Serve): MountedPart =>
    async (mounted) => {
      const front = await readFront(mounted)
      if (front !== null) await serve(mounted, front, parts.server.at(mounted.publicUrl))
    }
  const route = (method: 'GET' | 'POST', path: string, serve: Serve): Route => ({
    method,
    path,
    access: { kind: 'public' },
    serve: { kind: 'mounted', part: part(serve) },
  })
  const metadata: Serve = ({ response }, _front, site) => sendJson(response, 200, site.metadata())
  const library: Serve = ({ response }, front, site) => site.serve(front, response)
  const consent: Serve = (mounted, front, site) => serveConsent(mounted, front, site, parts)
  return [
    route('GET', '/.well-known/oauth-authorization-server', metadata),
    route('GET', '/.well-known/openid-configuration', metadata),
    route('GET', authorizationEndpoints.keys, ({ response }, _front, site) =>
      sendJson(response, 200, site.publicKeys(), { 'Cache-Control': 'public, max-age=60' }),
    ),
    route('GET', authorizationEndpoints.authorize, serveAuthorization),
    route('GET', `${authorizationEndpoints.authorize}/{id}`, library),
    route('POST', authorizationEndpoints.token, library),
    route('POST', authorizationEndpoints.revoke, library),
    route('POST', authorizationEndpoints.push, servePush),
    route('POST', authorizationEndpoints.register, serveRegistration),
    route('GET', `${authorizationEndpoints.consent}/{id}`, consent),
    route('POST', `${authorizationEndpoints.consent}/{id}`, consent),
  ]
}

/** Answers go back in the query and in no other way: oidc-provider's others put them into pages and fragments. */
function asksForAnotherMode(text: string): boolean {
  return new URLSearchParams(text).getAll('response_mode').some((mode) => mode !== 'query')
}

/** People's cookies are at the name `localhost`; a browser keeps them from the address that it stands for. */
function isLoopbackAddress(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host ?? '')
}

async function serveAuthorization(
  mounted: MountedRequest,
  front: FrontRequest,
  site: AuthorizationServerSite,
): Promise<void> {
  const { response } = mounted
  if (asksForAnotherMode(front.query)) {
    mounted.refused('invalid_request', 'response mode')
    return sendPage(response, 400, errorPage('unsupported_response_mode', 'Answers are given in the query only.'))
  }
  if (isLoopbackAddress(mounted.head.host) && new URL(site.browserOrigin).hostname === 'localhost') {
    response.writeHead(307, {
      Location: `${site.browserOrigin}${front.path}${front.query === '' ? '' : `?${front.query}`}`,
      'Content-Length': 0,
      'Cache-Control': 'no-store',
      'Referrer-Policy': 'no-referrer',
    })
    response.end()
    return
  }
  return site.serve(front, response)
}

async function servePush(mounted: MountedRequest, front: FrontRequest, site: AuthorizationServerSite): Promise<void> {
  if (!asksForAnotherMode(front.body.toString('latin1'))) return site.serve(front, mounted.response)
  mounted.refused('invalid_request', 'response mode')
  sendJson(mounted.response, 400, { error: 'unsupported_response_mode' })
}

async function serveRegistration(
  mounted: MountedRequest,
  front: FrontRequest,
  site: AuthorizationServerSite,
): Promise<void> {
  const { response } = mounted
  if (!isJsonContent(mounted.head)) {
    mounted.refused('unsupported_media_type', 'content type')
    return sendError(response, 'unsupported_media_type')
  }
  const outcome = await site.register(front)
  if (outcome === null) {
    mounted.refused('not_found', 'registration is off')
    return sendError(response, 'not_found')
  }
  if (outcome.ok) return sendJson(response, 201, outcome.client)
  mounted.refused('invalid_request', `registration: ${outcome.error}`)
  const status = outcome.error === 'temporarily_unavailable' ? 503 : 400
  sendJson(response, status, { error: outcome.error, error_description: outcome.description })
}
