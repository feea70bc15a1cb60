/** Who vouches for a client's redirect URIs: an operator, a document at the client's own URL, or nobody. */
export type RedirectUriSource = 'operator' | 'document' | 'registration'

const loopbackHosts = ['127.0.0.1', '[::1]', 'localhost']

/** Schemes that a browser or system acts on by itself. No client can have one of them as its own. */
const refusedSchemes = new Set([
  ...['javascript', 'vbscript'].map((language) => `${language}:`),
  'about:',
  'blob:',
  'chrome:',
  'data:',
  'file:',
  'filesystem:',
  'ftp:',
  'intent:',
  'mailto:',
  'ms-msdt:',
  'search-ms:',
  'smb:',
  'ssh:',
  'tel:',
  'view-source:',
  'ws:',
  'wss:',
])

/**
 * What is wrong with a redirect URI to be registered; `null` where nothing is. https anywhere; http on this machine's
 * loopback names only (RFC 8252 section 7.3); schemes of an application's own only where an operator says so
 * (section 7.1), since any program can claim one. No userinfo, no fragment, and written the one way in which two
 * parsers cannot differ.
 */
export function redirectUriProblem(uri: string, source: RedirectUriSource): string | null {
  if (uri.length > 2000) return 'is longer than 2000 characters'
  if (!/^[!#-;=?-[\]_a-z~]+$/.test(uri)) return 'has characters that no URI has'
  const url = URL.parse(uri)
  if (url === null) return 'is no absolute URI'
  if (uri.includes('#')) return 'has a fragment'
  if (url.username !== '' || url.password !== '' || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(uri)) return 'has userinfo'
  if (url.href !== uri && url.href !== `${uri}/`) return 'is not in normal form'
  if (url.protocol === 'https:') return null
  if (url.protocol === 'http:')
    return loopbackHosts.includes(url.hostname) ? null : 'is http, which is for loopback addresses only'
  if (refusedSchemes.has(url.protocol)) return 'has a scheme that is no application of its own'
  return source === 'operator' ? null : 'has a scheme of its own, which only clients added by an operator may'
}
