import type { BrowserOrigin } from './browser-origin.ts'

/**
 * Name of the session cookie. `__Host-` (RFC 6265bis section 4.1.3) keeps other hosts of the domain from setting it, and
 * needs https. Without https cookies are shared by all ports of a host, so the port is in the name: two servers on one
 * machine do not sign each other's people out. A program on another port still gets the cookie sent by the browser.
 */
export function sessionCookieName(origin: BrowserOrigin): string {
  return cookieName('session', origin)
}

/** Name of the cookie that tells one browser from another before anybody has signed in. */
export function visitCookieName(origin: BrowserOrigin): string {
  return cookieName('visit', origin)
}

/** Name of the cookie that holds the token of a one-time link, so that it stands in the address bar no longer than once. */
export function linkCookieName(origin: BrowserOrigin): string {
  return cookieName('link', origin)
}

function cookieName(what: string, { secureCookies, host }: BrowserOrigin): string {
  return secureCookies ? `__Host-mcpworks-${what}` : `mcpworks-${what}-${host.split(':').at(-1) ?? ''}`
}

/** 256 bits in base64url: what tokens in cookies look like. Nothing else is looked up. */
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/** The token in a `Cookie` header. `null` where the name is not there, is there twice, or its value is no token. */
export function readCookie(header: string | undefined, name: string): string | null {
  if (header === undefined) return null
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  const [value] = values
  return values.length === 1 && value !== undefined && tokenPattern.test(value) ? value : null
}

/**
 * A `Set-Cookie` value for the whole server: no script reads it, and other sites send it with nothing but links.
 * `seconds` 0 deletes it.
 */
export function cookie(name: string, value: string, seconds: number, origin: BrowserOrigin): string {
  const secure = origin.secureCookies ? '; Secure' : ''
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`
}
