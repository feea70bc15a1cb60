import { isIP } from 'node:net'
import { judgeAddress, type AddressRules } from './address-rules.ts'
import type { FetchRefusal } from './guarded-fetch.ts'

/** Resolves a name to every address it has. Rejects where it has none. */
export type ResolveName = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** One address of a name. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Where a request may go, with the addresses that were checked, or why it may not. */
export type Target =
  | { readonly ok: true; readonly url: URL; readonly addresses: readonly ResolvedAddress[] }
  | { readonly ok: false; readonly reason: Extract<FetchRefusal, 'url-refused' | 'address-refused' | 'unresolvable'> }

const maxUrlLength = 4096
const maxAddresses = 32

/**
 * Takes a URL apart and resolves its host. Numeric hosts in every notation that the URL standard reads (decimal, octal,
 * hexadecimal, short) are the address that they mean. One refused address among several refuses the name: which of them
 * would be dialled is the resolver's choice, and so perhaps the attacker's.
 */
export async function checkTarget(text: string, allow: AddressRules, resolve: ResolveName): Promise<Target> {
  const url = readUrl(text)
  if (url === null) return { ok: false, reason: 'url-refused' }
  const addresses = await addressesOf(url, resolve)
  if (addresses === null) return { ok: false, reason: 'unresolvable' }
  for (const { address } of addresses) {
    const verdict = judgeAddress(address, allow)
    if (!verdict.ok) return { ok: false, reason: 'address-refused' }
    if (url.protocol === 'http:' && !verdict.loopback) return { ok: false, reason: 'url-refused' }
  }
  return { ok: true, url, addresses }
}

/** `null` for what is no plain http or https URL: with user information, a fragment, blanks or control characters. */
function readUrl(text: string): URL | null {
  // Tabs and line ends are dropped by the URL parser; what is dropped here may count elsewhere.
  if (text.length > maxUrlLength || !/^https?:\/\/(?![/?])[\x21-\x7e]+$/i.test(text) || text.includes('\\')) return null
  const url = URL.parse(text)
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '') return null
  return text.includes('#') || url.port === '0' ? null : url
}

/** `null` where the name has no address, or more than anything honest has. */
async function addressesOf(url: URL, resolve: ResolveName): Promise<readonly ResolvedAddress[] | null> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const family = isIP(hostname)
  if (family === 4 || family === 6) return [{ address: hostname, family }]
  try {
    const addresses = await resolve(hostname)
    return addresses.length === 0 || addresses.length > maxAddresses ? null : addresses
  } catch {
    return null
  }
}
