/** Where people meet this server in a browser. */
export interface BrowserOrigin {
  /** `https://host`, without a slash at the end. */
  readonly origin: string
  readonly host: string
  /** Relying party id of passkeys (WebAuthn section 4): a host name, never an address; `null` where there can be none. */
  readonly passkeyId: string | null
  /** False where a session cookie would cross a network in the clear: nobody may sign in there. */
  readonly safe: boolean
  readonly secureCookies: boolean
}

/**
 * The origin of the pages for people, from the public URL. On a loopback address it is `localhost` with the same port,
 * because a browser makes no passkey for an address and keeps apart the cookies of the two.
 */
export function browserOrigin(publicUrl: string): BrowserOrigin {
  const url = new URL(publicUrl)
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const loopbackAddress = name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name)
  // `URL` writes every form of an IPv4 address as four numbers, and IPv6 in brackets.
  const isAddress = url.hostname.startsWith('[') || /^[\d.]+$/.test(url.hostname)
  if (loopbackAddress) url.hostname = 'localhost'
  const isLocal = url.hostname === 'localhost' || url.hostname.endsWith('.localhost')
  const secure = url.protocol === 'https:'
  const safe = secure || isLocal
  return {
    origin: url.origin,
    host: url.host,
    passkeyId: safe && (isLocal || !isAddress) ? url.hostname : null,
    safe,
    secureCookies: secure,
  }
}
