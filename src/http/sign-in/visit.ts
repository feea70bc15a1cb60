import { randomBytes } from 'node:crypto'
import {
  browserOrigin,
  cookie,
  csrfOf,
  readCookie,
  sameText,
  visitCookieName,
  type BrowserOrigin,
  type People,
  type SignedIn,
} from '../../auth/index.ts'
import { errorTable, isJsonObject, McpworksError, type ErrorCode, type JsonObject } from '../../kernel/index.ts'
import { isJsonContent } from '../content-type.ts'
import { parseJson } from '../parse-json.ts'
import { readBody } from '../read-body.ts'
import { abandonBody } from '../respond.ts'
import type { MountedPart, MountedRequest } from '../routes.ts'
import { html } from './html.ts'
import { sendPage, type PageAnswer } from './page-answer.ts'

/** One request to the pages for people, after its origin was checked. */
export interface PageVisit {
  readonly mounted: MountedRequest
  readonly people: People
  readonly origin: BrowserOrigin
  readonly address: string
  readonly claimedName: string | null
  readonly query: URLSearchParams
  /** Secret of this browser before anybody has signed in. */
  readonly visit: string
  /** What forms that need nobody signed in send back. */
  readonly visitCsrf: string
  readonly person: SignedIn | null
  /** Fields of the form or members of the JSON body; empty for GET. */
  readonly fields: JsonObject
  /** Records a refusal as one at the door. */
  refused(code: ErrorCode, reason: string, userId?: string | null): void
}

/** Who may send what to a page. */
export type PageRule = 'read' | 'visit-form' | 'session-form'

/** Longest body of a form or a passkey, in bytes. */
const maxBodyBytes = 64 * 1024

const visitSeconds = 3600

/**
 * Mounts a page for people. Checks, in order: that a session cookie would be safe here, that the browser is at the one
 * origin of these pages, and for what changes something the `Origin` of the request and the token against forged
 * requests: that of the session (`session-form`), or of the browser where nobody needs to be signed in (`visit-form`).
 */
export function page(people: People, rule: PageRule, answerTo: (visit: PageVisit) => Promise<PageAnswer>): MountedPart {
  return async (mounted) => {
    const { request, response, head } = mounted
    const answer = await admit(mounted, people, rule, answerTo).catch((error: unknown) => {
      if (error instanceof McpworksError) return refusal(head.contentType, error.code, error.message)
      throw error
    })
    if (answer === null) return
    abandonBody(request, response)
    sendPage(response, answer)
  }
}

async function admit(
  mounted: MountedRequest,
  people: People,
  rule: PageRule,
  answerTo: (visit: PageVisit) => Promise<PageAnswer>,
): Promise<PageAnswer | null> {
  const { head, address, publicUrl } = mounted
  const origin = originOf(publicUrl, head.host)
  if (!origin.safe) {
    mounted.refused('origin_refused', 'sign-in without https')
    return refusal(
      head.contentType,
      'origin_refused',
      'People sign in over https only. Set http.publicUrl to an https address.',
    )
  }
  if (head.host !== origin.host) {
    if (rule === 'read')
      return { kind: 'redirect', to: `${origin.origin}${head.path}${head.query === '' ? '' : `?${head.query}`}` }
    return forged(mounted, 'a form for another host name')
  }
  const secret = readCookie(head.cookie, visitCookieName(browserOrigin(publicUrl)))
  const visit: PageVisit = {
    mounted,
    people,
    origin,
    address,
    claimedName: head.userAgent ?? null,
    query: new URLSearchParams(head.query),
    visit: secret ?? '',
    visitCsrf: secret === null ? '' : csrfOf(secret),
    person: people.signIn.personOf(head.cookie, publicUrl),
    fields: {},
    refused: (code, reason, userId = null) =>
      people.events.refused({
        code,
        // A token is in no record.
        route: head.path.replace(/^(\/sign-in\/link|\/approve)\/.*$/, '$1/{token}'),
        namespace: null,
        principalId: userId,
        credentialId: null,
        address,
        reason,
      }),
  }
  if (rule === 'read') {
    if (secret !== null) return answerTo(visit)
    const begun = newVisit(visit)
    const answer = await answerTo(begun)
    return { ...answer, cookies: [visitCookie(begun), ...(answer.cookies ?? [])] }
  }
  if (head.origin !== origin.origin) return forged(mounted, 'a form of another origin')
  const fields = await readFields(mounted)
  if (fields === null) return null
  const expected = rule === 'visit-form' ? visit.visitCsrf : (visit.person?.csrf ?? '')
  const presented = head.csrf ?? (typeof fields.csrf === 'string' ? fields.csrf : null)
  if (rule === 'session-form' && visit.person === null)
    return isJsonContent(head)
      ? refusal(head.contentType, 'credential_missing', 'You are signed out. Sign in again.')
      : { kind: 'redirect', to: people.signIn.signInUrl('/account') }
  if (expected === '' || !sameText(expected, presented)) return forged(mounted, 'a form without its token')
  return answerTo({ ...visit, fields })
}

/**
 * The one origin of these pages. Where that is `localhost`, its port may be another one than ours: somebody forwards it,
 * and a page of another server cannot send this `Host` here and its own `Origin` both.
 */
function originOf(publicUrl: string, host: string | undefined): BrowserOrigin {
  const origin = browserOrigin(publicUrl)
  const isLocal = origin.host.replace(/:\d+$/, '') === 'localhost'
  if (!isLocal || origin.secureCookies || host === undefined || !/^localhost(?::\d{1,5})?$/.test(host)) return origin
  return { ...origin, host, origin: `http://${host}` }
}

function newVisit(visit: PageVisit): PageVisit {
  const secret = randomBytes(32).toString('base64url')
  return { ...visit, visit: secret, visitCsrf: csrfOf(secret) }
}

/** The cookie of a browser that is new here goes with the page that it got. */
function visitCookie({ visit, mounted }: Pick<PageVisit, 'visit' | 'mounted'>): string {
  const origin = browserOrigin(mounted.publicUrl)
  return cookie(visitCookieName(origin), visit, visitSeconds, origin)
}

/** A secret of a new browser, in place of that of the one that signed in: what was begun before is over. */
export function freshVisitCookie({ mounted }: Pick<PageVisit, 'mounted'>): string {
  return visitCookie({ visit: randomBytes(32).toString('base64url'), mounted })
}

function forged(mounted: MountedRequest, reason: string): PageAnswer {
  mounted.refused('origin_refused', reason)
  return refusal(
    mounted.head.contentType,
    'origin_refused',
    'This form did not come from a page of this server that is still good. Open the page again.',
  )
}

/** The error as JSON to scripts and as a page to people. */
export function refusal(contentType: string | undefined, code: ErrorCode, message: string): PageAnswer {
  const { status } = errorTable[code]
  if (contentType?.startsWith('application/json') === true)
    return { kind: 'json', status, value: { error: { code, message } } }
  return {
    kind: 'page',
    status,
    title: 'That did not work',
    body: html`<section class="narrow">
      <p>${message}</p>
      <a class="button" href="/sign-in">Sign in</a>
    </section>`,
  }
}

/**
 * A form or a JSON object, each name once. `null` where the client left.
 * @throws McpworksError for a body that is too large or of another kind
 */
async function readFields({ request, head }: MountedRequest): Promise<JsonObject | null> {
  const isJson = isJsonContent(head)
  if (!isJson && head.contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    throw new McpworksError('unsupported_media_type')
  const body = await readBody(request, maxBodyBytes)
  if (!body.ok && body.reason === 'aborted') return null
  if (!body.ok) throw new McpworksError('body_too_large')
  if (isJson) {
    const parsed = parseJson(body.bytes, 16)
    if (!parsed.ok || !isJsonObject(parsed.value)) throw new McpworksError('invalid_json')
    return parsed.value
  }
  const pairs = [...new URLSearchParams(body.bytes.toString('utf8'))]
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) throw new McpworksError('invalid_request')
  return Object.fromEntries(pairs)
}

/** A field as text, at most 500 characters; empty where it is none. */
export function textField(fields: JsonObject, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  return typeof value === 'string' ? value.slice(0, 500) : ''
}
