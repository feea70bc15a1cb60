/** Where people come who were sent nowhere else. */
export const home = '/account'

/**
 * The path of this server that somebody is to come back to, or `home` for anything that could lead elsewhere: another
 * origin, a path that a browser reads as one (`//host`, `/\host`, control characters), what is no path at all.
 */
export function returnTo(asked: string | null | undefined, origin: string): string {
  if (asked === null || asked === undefined || asked.length > 4000) return home
  if (!/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(asked) || !URL.canParse(asked, origin)) return home
  const url = new URL(asked, origin)
  // What the URL parser makes of it is what the browser goes to: `/.//host` is a path here and must stay one there.
  const path = `${url.pathname}${url.search}`
  return url.origin === origin && !path.startsWith('//') ? path : home
}
