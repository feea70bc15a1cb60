import { createHmac, timingSafeEqual } from 'node:crypto'
import type {
  AuthorizationServerSite,
  ConsentQuestion,
  FrontRequest,
  IdentityRegistry,
  SignedIn,
  SignIn,
} from '../../auth/index.ts'
import { isName, McpworksError, type Principal } from '../../kernel/index.ts'
import type { MountedRequest } from '../routes.ts'
import { consentPage } from './consent-page.ts'
import { findEarlierConsent } from './earlier-consent.ts'
import { errorPage, sendPage } from './page.ts'

/** What the consent page stands on. */
export interface ConsentParts {
  readonly signIn: SignIn
  readonly registry: Pick<
    IdentityRegistry,
    'listAgents' | 'listActiveCredentials' | 'findActivePrincipal' | 'findPrincipal' | 'describe'
  >
  /** Names of the tools that an agent may call, by policy as of now. */
  readonly toolsOf: (agent: Principal) => readonly string[]
  /** Whether the person's roles let them make agents there. Making one is still decided. */
  readonly mayAddAgents: (person: SignedIn, namespace: string) => boolean
  /** Makes an agent that is the person's, through the pipeline. @throws McpworksError */
  readonly addAgent: (person: SignedIn, namespace: string, name: string, address: string) => Promise<{ id: string }>
  readonly grantMaxDays: number
}

interface Visit {
  readonly mounted: MountedRequest
  readonly front: FrontRequest
  readonly site: AuthorizationServerSite
  readonly question: ConsentQuestion
  readonly person: SignedIn
}

/** Shows the consent page, or takes the answer. Only in the browser that the client sent here, and to who is signed in. */
export async function serveConsent(
  mounted: MountedRequest,
  front: FrontRequest,
  site: AuthorizationServerSite,
  parts: ConsentParts,
): Promise<void> {
  const { response } = mounted
  const question = await site.findQuestion(front, response, mounted.parameters.id ?? '')
  if (question === null) {
    mounted.refused('invalid_request', 'no such question in this browser')
    const text = 'The request has expired, was answered already, or was begun in another browser.'
    return sendPage(response, 400, errorPage('consent_expired', text))
  }
  const person = parts.signIn.personOf(front.cookie, mounted.publicUrl)
  if (person === null) return seeOther(mounted, parts.signIn.signInUrl(front.path))
  const visit = { mounted, front, site, question, person }
  if (front.method === 'POST') return takeAnswer(visit, parts)
  const earlier = findEarlierConsent(question, person, parts.registry)
  if (earlier !== null) return allow(visit, earlier.agentId, earlier.seconds(Date.now()), false)
  return show(visit, parts, null, 200)
}

async function takeAnswer(visit: Visit, parts: ConsentParts): Promise<void> {
  const { mounted, front, site, person, question } = visit
  const isForm = /^application\/x-www-form-urlencoded *(;|$)/i.test(front.contentType ?? '')
  const form = new URLSearchParams(isForm ? front.body.toString('utf8') : '')
  const once = (name: string): string => (form.getAll(name).length === 1 ? (form.get(name) ?? '') : '')
  if (!sameText(csrfOf(person, question), once('csrf'))) {
    mounted.refused('denied', 'a form that is not of this session and question')
    return show(visit, parts, 'The page was too old. Look at it again and answer.', 403)
  }
  const decision = once('decision')
  if (decision === 'deny') return site.answerQuestion(front, mounted.response, { agreed: false })
  if (decision !== 'allow') return show(visit, parts, 'Choose to allow or to refuse.', 400)
  const days = Number(once('days'))
  if (!Number.isInteger(days) || days < 1 || days > parts.grantMaxDays)
    return show(visit, parts, 'Choose for how long.', 400)
  try {
    const agentId = once('agent') === 'new' ? await makeAgent(visit, parts, once('name')) : once('agent')
    await allow(visit, agentId, days * 86_400, true)
  } catch (error) {
    if (!(error instanceof McpworksError) || error.code === 'internal') throw error
    mounted.refused(error.code, 'consent')
    return show(visit, parts, error.message, error.code === 'audit_unavailable' ? 503 : 400)
  }
}

async function makeAgent({ front, person, question }: Visit, parts: ConsentParts, name: string): Promise<string> {
  if (!isName(name)) throw new McpworksError('name_invalid')
  if (!parts.mayAddAgents(person, question.namespace))
    throw new McpworksError('denied', { message: 'Your roles do not let you make agents here.' })
  return (await parts.addAgent(person, question.namespace, name, front.address)).id
}

async function allow(
  { mounted, front, site, question, person }: Visit,
  agentId: string,
  seconds: number,
  asked: boolean,
): Promise<void> {
  const { userId, sessionId } = person
  const { grantId } = await site.grant({
    question,
    userId,
    sessionId,
    agentId,
    seconds,
    address: front.address,
    asked,
  })
  await site.answerQuestion(front, mounted.response, { agreed: true, userId, grantId })
}

function show(visit: Visit, parts: ConsentParts, problem: string | null, status: number): void {
  const { mounted, question, person } = visit
  const { registry } = parts
  const own = registry
    .listAgents(question.namespace)
    .filter(({ id, ownerId }) => ownerId === person.userId && registry.findActivePrincipal(id) !== null)
    .slice(0, 50)
  const text = consentPage({
    question,
    person: registry.findPrincipal(person.userId)?.name ?? person.userId,
    agents: own.map((agent) => ({ id: agent.id, tools: parts.toolsOf(registry.describe(agent)) })),
    newAgent: parts.mayAddAgents(person, question.namespace) ? proposeName(visit, registry) : null,
    maxDays: parts.grantMaxDays,
    csrf: csrfOf(person, question),
    problem,
  })
  sendPage(mounted.response, status, text, ["'self'", formTarget(question.redirectUri)])
}

/** The client's name and the person's as a name that is free. */
function proposeName({ question, person }: Visit, registry: ConsentParts['registry']): string {
  const base = `${question.client.name}-${person.userId}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 34)
    .replace(/-+$/, '')
  const name = isName(base) ? base : 'client-agent'
  const isFree = (text: string): boolean => registry.findPrincipal(`${question.namespace}/${text}`) === null
  const names = [name, ...Array.from({ length: 98 }, (_, index) => `${name}-${index + 2}`)]
  return names.find(isFree) ?? name
}

/** Proves that the form was made for this session and this question, and tells neither's secret. */
function csrfOf(person: SignedIn, question: ConsentQuestion): string {
  return createHmac('sha256', person.csrf).update(`consent ${question.id}`).digest('base64url')
}

function sameText(expected: string, presented: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(presented)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Browsers hold the redirects that follow a form to its `form-action`. An IPv6 address cannot be written there. */
function formTarget(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri)
  return host === '' || host.startsWith('[') || !/^https?:$/.test(protocol) ? protocol : `${protocol}//${host}`
}

function seeOther({ response }: MountedRequest, location: string): void {
  response.writeHead(303, { Location: location, 'Content-Length': 0, 'Cache-Control': 'no-store' })
  response.end()
}
