import {
  browserOrigin,
  type IdentityRegistry,
  type SignedIn,
  type SignIn,
  type UpstreamConnections,
} from '../../auth/index.ts'
import type { Gateway } from '../../gateway/index.ts'
import { isJsonObject, isName, McpworksError, type Caller } from '../../kernel/index.ts'
import { callerOfPerson } from '../admin/session-caller.ts'
import { readBody } from '../read-body.ts'
import { abandonBody, sendJson } from '../respond.ts'
import type { MountedPart, MountedRequest, Route } from '../routes.ts'
import { markup } from '../authorization-server/markup.ts'
import { sendPage } from './upstream-page.ts'

/** What the pages stand on. */
export interface UpstreamPages {
  readonly connections: Pick<UpstreamConnections, 'depart' | 'arrive'>
  readonly gateway: Gateway
  readonly signIn: SignIn
  readonly registry: Pick<IdentityRegistry, 'findActivePrincipal' | 'describe'>
}

const connectPath = '/oauth/upstream/connect/{namespace}/{server}'
const callbackPath = '/oauth/upstream/callback'

/** Path of the page on which a person consents. */
export function connectPagePath(namespace: string, server: string): string {
  return connectPath.replace('{namespace}', namespace).replace('{server}', server)
}

/**
 * The pages between a person and the authorization server of a third party: what is about to be connected, the link
 * that leaves, and the way back. Each needs a session; leaving needs a form of this server and the pipeline's decision.
 */
export function upstreamRoutes(pages: UpstreamPages): Route[] {
  const route = (method: Route['method'], path: string, part: MountedPart): Route => ({
    method,
    path,
    access: { kind: 'public' },
    serve: { kind: 'mounted', part },
  })
  const arrive: MountedPart = (visit) => arriving(visit, pages)
  return [
    route('GET', connectPath, (visit) => asking(visit, pages)),
    route('POST', connectPath, (visit) => leaving(visit, pages)),
    route('GET', callbackPath, arrive),
    route('GET', `${callbackPath}/{connection}`, arrive),
    route('GET', '/oauth/upstream/client.json', clientDocument),
  ]
}

/** Shows what would be connected. Changes nothing and asks nobody. */
async function asking(visit: MountedRequest, pages: UpstreamPages): Promise<void> {
  abandonBody(visit.request, visit.response)
  const at = await wayTo(visit, pages)
  if (at === null) return
  const { namespace, server, person } = at
  const found = await findServer(at, pages)
  if (found === null) return refuse(visit, 404, 'There is no such server, or you may not connect it.', 'no such server')
  const scopes = found.scopes.length === 0 ? 'what the authorization server gives by default' : found.scopes.join(' ')
  sendPage(
    visit.response,
    200,
    `Connect ${server}`,
    markup`<p>The namespace <b>${namespace}</b> is to use <b>${found.url}</b>.</p>
      <p>
        ${found.owner === 'namespace' ? 'Whoever may use it in the namespace will act with the account that you sign in with there.' : 'Only what acts for you will use your account there.'}
      </p>
      <p>It asks for: ${scopes}</p>
      <form method="post" action="${connectPagePath(namespace, server)}">
        <input type="hidden" name="csrf" value="${person.csrf}" />
        <button>Find out where to sign in</button>
      </form>`,
  )
}

/** Has the pipeline decide, prepares the way, and shows the link that leads to the authorization server. */
async function leaving(visit: MountedRequest, pages: UpstreamPages): Promise<void> {
  const body = await readBody(visit.request, 4096)
  if (!body.ok) return abandonBody(visit.request, visit.response)
  const at = await wayTo(visit, pages)
  if (at === null) return
  const { namespace, server, person } = at
  const fields = new URLSearchParams(body.bytes.toString('utf8'))
  const { origin } = browserOrigin(visit.publicUrl)
  if (visit.head.origin !== origin || !pages.signIn.csrfMatches(person, fields.get('csrf')))
    return refuse(visit, 403, 'Send the form of this page again.', 'a form of another page')
  const found = await findServer(at, pages)
  const operation = found?.owner === 'user' ? 'upstream.connect-own' : 'upstream.connect'
  const decided = await manage(operation, at, pages)
  if (decided.status !== 'ok') {
    const sentence = 'message' in decided ? decided.message : 'It was refused.'
    return refuse(visit, 403, sentence, 'refused by policy')
  }
  try {
    const departure = { namespace, name: server, userId: person.userId, sessionId: person.sessionId, origin }
    const { url, host, issuer, scopes } = await pages.connections.depart(departure)
    sendPage(
      visit.response,
      200,
      `Go on to ${host}`,
      markup`<p>${server} trusts the authorization server <b>${issuer}</b>. Sign in there only if you know it.</p>
        <p>Asked for: ${scopes.length === 0 ? 'its default' : scopes.join(' ')}</p>
        <p><a href="${url}" rel="noreferrer noopener">Sign in at ${host}</a></p>`,
    )
  } catch (error) {
    if (!(error instanceof McpworksError)) throw error
    refuse(visit, 502, error.message, error.code)
  }
}

/** Takes the answer of the authorization server. */
async function arriving(visit: MountedRequest, pages: UpstreamPages): Promise<void> {
  abandonBody(visit.request, visit.response)
  const person = pages.signIn.personOf(visit.head.cookie, visit.publicUrl)
  if (person === null) return refuse(visit, 403, 'You are not signed in here any more. Begin again.', 'no session')
  const { origin } = browserOrigin(visit.publicUrl)
  const callback = new URL(`${origin}${visit.head.path}${visit.head.query === '' ? '' : `?${visit.head.query}`}`)
  const arrival = await pages.connections.arrive(callback, { ...person, address: visit.address })
  if (!arrival.ok) return refuse(visit, 400, `It was not connected: ${arrival.reason}.`, arrival.reason)
  sendPage(
    visit.response,
    200,
    `${arrival.name} is connected`,
    markup`<p>The namespace <b>${arrival.namespace}</b> has a credential for it. You can close this page.</p>`,
  )
}

/** Who we are, for authorization servers that take such documents in place of a registration. */
async function clientDocument({ request, response, publicUrl }: MountedRequest): Promise<void> {
  abandonBody(request, response)
  const { origin } = browserOrigin(publicUrl)
  sendJson(response, 200, {
    client_id: `${origin}/oauth/upstream/client.json`,
    client_name: 'MCPWorks',
    redirect_uris: [`${origin}${callbackPath}`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  })
}

interface Way {
  readonly namespace: string
  readonly server: string
  readonly person: SignedIn
  readonly caller: Caller
}

/** `null` where the request was answered: nobody is signed in, or the names are none. */
async function wayTo(visit: MountedRequest, { signIn, registry, gateway }: UpstreamPages): Promise<Way | null> {
  const { namespace = '', server = '' } = visit.parameters
  if (!isName(namespace) || !isName(server)) {
    refuse(visit, 404, 'There is nothing here.', 'no name')
    return null
  }
  const person = signIn.personOf(visit.head.cookie, visit.publicUrl)
  const caller = person === null ? null : callerOfPerson(person, visit.head, visit.address, registry)
  if (person !== null && caller !== null) {
    // No log is begun for a namespace that is not there.
    if (gateway.mayEnter(caller, namespace)) return { namespace, server, person, caller }
    refuse(visit, 404, 'There is no such server, or you may not connect it.', 'namespace')
    return null
  }
  visit.response.writeHead(303, {
    Location: signIn.signInUrl(connectPagePath(namespace, server)),
    'Cache-Control': 'no-store',
  })
  visit.response.end()
  return null
}

/** What the person may know of the server; `null` where that is nothing. */
async function findServer(at: Way, pages: UpstreamPages): Promise<Shown | null> {
  const shown = await manage('upstream.show', at, pages)
  const upstream = shown.status === 'ok' && isJsonObject(shown.result.upstream) ? shown.result.upstream : null
  if (upstream === null) return null
  const scopes = Array.isArray(upstream.scopes) ? upstream.scopes.map(String) : []
  return { url: String(upstream.url), owner: upstream.owner === 'user' ? 'user' : 'namespace', scopes }
}

interface Shown {
  readonly url: string
  readonly owner: 'namespace' | 'user'
  readonly scopes: readonly string[]
}

/** One operation on the server as the person, through the pipeline. */
function manage(operation: string, { caller, namespace, server }: Way, { gateway }: UpstreamPages) {
  return gateway.perform(
    {
      caller,
      namespace,
      door: 'console',
      effect: { kind: 'manage', operation, arguments: { namespace, server } },
      facts: { method: operation, protocolVersion: null, requestId: null, trace: null, clientCapabilities: {} },
    },
    { signal: new AbortController().signal, log: () => {}, progress: () => {} },
  )
}

function refuse(visit: MountedRequest, status: number, sentence: string, reason: string): void {
  visit.refused(status === 404 ? 'not_found' : 'invalid_request', reason)
  sendPage(visit.response, status, 'Not connected', markup`<p>${sentence}</p>`)
}
