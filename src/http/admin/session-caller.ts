import { browserOrigin, type IdentityRegistry, type SignedIn, type SignIn } from '../../auth/index.ts'
import type { Caller } from '../../kernel/index.ts'
import type { RequestHead } from '../request-head.ts'

/** What looks at the session of a request to the management API. */
export interface SessionPorts {
  readonly signIn: SignIn
  readonly registry: Pick<IdentityRegistry, 'findActivePrincipal' | 'describe'>
}

/** The caller of a session, or what is wrong with the request; `null` where no good session came with it. */
export type SessionCaller =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly reason: string }
  | null

/**
 * A person's session as a credential of the management API. A browser sends the cookie whoever makes it send the
 * request, so the request must come from a page of ours: `Origin` and, in `X-MCPWorks-CSRF`, the session's own token for
 * whatever changes something; `Sec-Fetch-Site: same-origin` or that token for what only reads. Other ports of this host
 * are the same site to a browser, and neither has them.
 */
export function sessionCaller(
  head: RequestHead,
  publicUrl: string,
  address: string,
  { signIn, registry }: SessionPorts,
): SessionCaller {
  const person = signIn.personOf(head.cookie, publicUrl)
  if (person === null) return null
  const caller = callerOfPerson(person, head, address, registry)
  if (caller === null) return null
  const hasToken = signIn.csrfMatches(person, head.csrf)
  if (head.method === 'GET') {
    if (!hasToken && head.fetchSite !== 'same-origin')
      return { ok: false, reason: 'a session, and a request that no page of ours made' }
  } else {
    const { origin, host } = browserOrigin(publicUrl)
    const own = head.host === host ? origin : `${new URL(origin).protocol}//${head.host ?? ''}`
    if (head.origin === undefined || head.origin !== own) return { ok: false, reason: 'a session, and another origin' }
    if (!hasToken) return { ok: false, reason: 'a session without its token against forged requests' }
  }
  return { ok: true, caller }
}

/** The person of a session as a caller; `null` where the person is not good at this moment. */
export function callerOfPerson(
  person: SignedIn,
  head: RequestHead,
  address: string,
  registry: SessionPorts['registry'],
): Caller | null {
  const principal = registry.findActivePrincipal(person.userId)
  if (principal === null) return null
  return {
    principal: registry.describe(principal),
    authentication: {
      method: 'session',
      credentialId: person.sessionId,
      senderConstrained: false,
      expiresAtMs: person.expiresAtMs,
      scopes: ['admin'],
      authenticatedAtMs: person.authenticatedAtMs,
    },
    client: { address, claimedName: head.userAgent?.slice(0, 100) ?? null },
  }
}
