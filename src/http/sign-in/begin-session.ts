import { browserOrigin, cookie, linkCookieName, sessionCookieName, type SignInMethod } from '../../auth/index.ts'
import { freshVisitCookie, type PageVisit } from './visit.ts'

/**
 * Begins a session for a person who has just proved who they are and ends the one that this browser had. Answers the
 * cookies: a new session token, a new secret of the browser, and no link.
 * @throws McpworksError `audit_unavailable`, `storage_unavailable`
 */
export async function beginSession(visit: PageVisit, userId: string, method: SignInMethod): Promise<string[]> {
  const { people, person, address, claimedName, mounted } = visit
  const { token } = await people.sessions.begin({ userId, method, address, claimedName })
  if (person !== null) await people.sessions.end(person.userId, person.sessionId, 'signed in again', address)
  const origin = browserOrigin(mounted.publicUrl)
  return [
    cookie(sessionCookieName(origin), token, people.config.sessionSeconds, origin),
    cookie(linkCookieName(origin), '', 0, origin),
    freshVisitCookie(visit),
  ]
}
