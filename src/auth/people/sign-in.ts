import { createHmac, timingSafeEqual } from 'node:crypto'
import { browserOrigin } from './browser-origin.ts'
import { readCookie, sessionCookieName } from './cookies.ts'
import type { Sessions } from './sessions.ts'

/** The person of a request that came with the cookie of a session. */
export interface SignedIn {
  readonly userId: string
  /** Public id of the session. */
  readonly sessionId: string
  /** What every form and script of this session sends with what it changes. Must stand in no URL. */
  readonly csrf: string
  /** When the person proved who they are, in Unix milliseconds. */
  readonly authenticatedAtMs: number
  /** When the session ends at the latest. */
  readonly expiresAtMs: number
}

/** Who is signed in, for every page that needs a person. */
export interface SignIn {
  /**
   * The person of the session whose token is in the `Cookie` header; `null` where there is none, it is over, or the
   * cookie came twice: then somebody else has set one of them. Does not check where the request came from: whatever
   * changes something must compare `csrf` too.
   */
  personOf(cookie: string | undefined, publicUrl: string): SignedIn | null
  /** Whether a token from a form or header is the session's. Takes the same time for every wrong one. */
  csrfMatches(person: SignedIn, presented: string | null | undefined): boolean
  /** Path and query of the page to send a person to who is to come back to `returnTo`, a path of this server. */
  signInUrl(returnTo: string): string
}

/** Makes it from the sessions. */
export function createSignIn(sessions: Sessions): SignIn {
  return {
    personOf(cookie, publicUrl) {
      const token = readCookie(cookie, sessionCookieName(browserOrigin(publicUrl)))
      if (token === null) return null
      const session = sessions.find(token)
      if (session === null) return null
      return {
        userId: session.userId,
        sessionId: session.id,
        csrf: csrfOf(token),
        authenticatedAtMs: session.beganAtMs,
        expiresAtMs: session.expiresAtMs,
      }
    },
    csrfMatches: (person, presented) => sameText(person.csrf, presented),
    signInUrl: (returnTo) => `/sign-in?return=${encodeURIComponent(returnTo)}`,
  }
}

/** The token against forged requests that belongs to a secret cookie. Does not tell the cookie. */
export function csrfOf(token: string): string {
  return createHmac('sha256', token).update('mcpworks csrf').digest('base64url')
}

/** Compares in time that does not depend on where the texts differ. */
export function sameText(expected: string, presented: string | null | undefined): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(presented ?? '')]
  return left.length === right.length && timingSafeEqual(left, right)
}
