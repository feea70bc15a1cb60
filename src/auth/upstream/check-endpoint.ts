/** What a URL from a stranger's metadata may be. */
export interface EndpointRules {
  /** Plain http to a loopback address, because the configuration lists one. */
  readonly allowLoopbackHttp: boolean
  /** Host names that the operator typed: names in punycode are taken only if they are among these. */
  readonly typedHosts: readonly string[]
}

/** The URL, or what is wrong with it: in our words, with nothing of it. */
export type EndpointVerdict =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly problem: string }

/** Unreserved characters, separators of paths and queries, and percent escapes: none means anything to a shell but `&`. */
const allowedText = /^https?:\/\/(?![/?])[A-Za-z0-9._~:/?%&=+,@[\]-]+$/

/**
 * Checks a URL that came from a third party's metadata, before anybody is sent there or anything is. `new URL()` is no
 * check: it keeps `$(...)`, backticks and quotes, and drops line ends. Here only plain characters pass at all; no user
 * information, no fragment, https (or http to loopback where allowed), and no name in punycode, which can look like
 * another one, unless the operator typed it. Does not resolve the name.
 */
export function checkEndpoint(text: unknown, rules: EndpointRules): EndpointVerdict {
  if (typeof text !== 'string' || text.length > 2000) return refused('is no URL')
  if (!allowedText.test(text)) return refused('is not a plain http or https URL')
  const url = URL.parse(text)
  if (url === null || url.hostname === '') return refused('is no URL')
  if (url.username !== '' || url.password !== '' || text.includes('@')) return refused('has user information')
  if (url.port === '0') return refused('has no port')
  if (url.hostname.split('.').some((label) => label.startsWith('xn--')) && !rules.typedHosts.includes(url.hostname))
    return refused('has a host name in punycode that nobody typed')
  if (url.protocol === 'http:' && !(rules.allowLoopbackHttp && isLoopback(url.hostname))) return refused('is not https')
  return { ok: true, url }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function refused(problem: string): EndpointVerdict {
  return { ok: false, problem }
}
