import ipaddr from 'ipaddr.js'
import { hidesText } from './extractor.ts'
import { hostName } from './host-name.ts'

/** A URL taken apart, in the one form in which policies compare it. */
export interface ReadUrl {
  readonly scheme: string
  /** A name in lower case and punycode, or an address: IPv6 without brackets. */
  readonly host: string
  readonly hostKind: 'name' | 'ipv4' | 'ipv6'
  /** Where the host is an address: that address, an IPv4 address mapped into IPv6 as itself. */
  readonly address: string | null
  /** That of the scheme where the URL names none. */
  readonly port: number
  readonly path: string
  /** Without the question mark; empty where there is none. */
  readonly query: string
  /** Whether it names a user or a password. */
  readonly userinfo: boolean
}

const defaultPorts: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
  ['ws', 80],
  ['wss', 443],
  ['ftp', 21],
])
const lengthLimit = 8_192

/**
 * Reads an absolute URL of a scheme with a host (http, https, ws, wss, ftp), or says what is wrong with it. Taken is
 * what RFC 3986 and the URL standard of browsers read alike: RFC 3986 characters only (no space, tab, line break or
 * backslash anywhere, no text that is not ASCII but in the host), one "@" at most, no percent-encoding before the path,
 * an IPv4 address as four plain decimal numbers and no other number for a host. A path has no dot segments, empty
 * segments, parameters after ";", or encoded separators and control characters, encoded twice or once; encoded
 * characters that need no encoding are decoded. The fragment is not sent and not looked at.
 */
export function readUrl(text: string): ReadUrl | string {
  if (text.length > lengthLimit) return `is longer than ${lengthLimit} characters`
  if (hidesText(text)) return 'holds a line break, or an invisible or control character'
  if (text.includes('\\')) return 'holds a backslash, which some readers take for a slash'
  const [whole, schemeText, authority, path, query, fragment] =
    /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/u.exec(text) ?? []
  if (whole === undefined || schemeText === undefined || authority === undefined)
    return 'is no URL written as scheme://host'
  const scheme = schemeText.toLowerCase()
  const port = defaultPorts.get(scheme)
  if (port === undefined) return 'is a URL of a scheme that is not read here'
  for (const part of [path, query, fragment]) {
    if (part !== undefined && !/^(?:[A-Za-z0-9._~!$&'()*+,;=:@/?#[\]-]|%[0-9A-Fa-f]{2})*$/u.test(part))
      return 'is a URL with characters that must be percent-encoded'
  }
  const place = readAuthority(authority, port)
  if (typeof place === 'string') return place
  const read = readPath(path ?? '')
  if (!read.ok) return read.problem
  return { scheme, ...place, path: read.path, query: (query ?? '').slice(1) }
}

type Place = Pick<ReadUrl, 'host' | 'hostKind' | 'address' | 'port' | 'userinfo'>

function readAuthority(authority: string, defaultPort: number): Place | string {
  const at = authority.indexOf('@')
  if (at !== authority.lastIndexOf('@')) return 'is a URL with more than one "@" before its path'
  if (authority.includes('%')) return 'is a URL with percent-encoding before its path'
  if (at !== -1 && !/^[A-Za-z0-9._~!$&'()*+,;=:-]*$/u.test(authority.slice(0, at)))
    return 'is a URL whose user is not plain'
  const [whole, host = '', portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/u.exec(authority.slice(at + 1)) ?? []
  if (whole === undefined) return 'is a URL whose host is not plain'
  if (portText !== undefined && !/^(?:0|[1-9][0-9]{0,4})$/.test(portText)) return 'is a URL whose port is not plain'
  const port = portText === undefined ? defaultPort : Number(portText)
  if (port > 65_535) return 'is a URL whose port is out of range'
  const read = readHost(host)
  return typeof read === 'string' ? read : { ...read, port, userinfo: at !== -1 }
}

function readHost(host: string): Pick<ReadUrl, 'host' | 'hostKind' | 'address'> | string {
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1)
    if (!/^[0-9A-Fa-f:.]{2,45}$/u.test(inner) || !ipaddr.IPv6.isValid(inner))
      return 'is a URL whose address is not plain'
    const parsed = ipaddr.IPv6.parse(inner)
    const address = parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toString()
    return { host: parsed.toString(), hostKind: 'ipv6', address }
  }
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return { host, hostKind: 'ipv4', address: host }
  const name = hostName(host, 1)
  return name.ok ? { host: name.name, hostKind: 'name', address: null } : name.problem
}

type PathOfUrl = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly problem: string }

function readPath(written: string): PathOfUrl {
  const refused = (problem: string): PathOfUrl => ({ ok: false, problem: `is a URL whose path ${problem}` })
  // RFC 3986 section 6.2.2: what needs no encoding is the same decoded; the digits of what does are capitals.
  const path = written.replaceAll(/%[0-9A-Fa-f]{2}/gu, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
    return /[A-Za-z0-9._~-]/u.test(character) ? character : encoded.toUpperCase()
  })
  if (path.includes(';')) return refused('has parameters, which some servers cut off')
  if (/%(?:2F|5C|[01][0-9A-F]|7F)/u.test(path)) return refused('has an encoded separator or control character')
  if (/%25(?:25)*[0-9A-Fa-f]{2}/u.test(path)) return refused('is encoded twice')
  const segments = path.split('/').slice(1)
  if (segments.some((segment) => segment === '.' || segment === '..')) return refused('has dot segments')
  if (segments.slice(0, -1).includes('')) return refused('has an empty segment')
  return { ok: true, path: path === '' ? '/' : path }
}
