import ipaddr from 'ipaddr.js'

/** Which addresses may be dialled. */
export interface AddressRules {
  /**
   * Networks (CIDR) that may be reached though they are not public, such as `10.1.0.0/16`. Plain http is allowed to
   * loopback addresses that are listed here and to nothing else. Empty: public addresses over https only.
   */
  readonly networks: readonly string[]
}

/** Only public addresses, only https. */
export const publicAddressesOnly: AddressRules = { networks: [] }

/** What is to be thought of an address. `loopback` says that it is one that the rules list. */
export type AddressVerdict = { readonly ok: true; readonly loopback: boolean } | { readonly ok: false }

/** Addresses in public ranges that answer only to the machines of one cloud, with credentials for who asks. */
const metadataAddresses = new Set(['168.63.129.16'])

/** Global unicast as assigned so far (RFC 4291 section 2.4, IANA): all else embeds, translates or is not assigned. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/** Whether a text is a network in CIDR form with no bits set beyond its prefix. */
export function isNetwork(text: string): boolean {
  if (!ipaddr.isValidCIDR(text) || !/^[0-9a-fA-F:.]+\/\d{1,3}$/.test(text)) return false
  const [address, prefix] = ipaddr.parseCIDR(text)
  if (address.kind() === 'ipv4' && !ipaddr.IPv4.isValidFourPartDecimal(text.split('/')[0] ?? '')) return false
  const bytes = address.toByteArray()
  return bytes.every((byte, index) => (byte & (0xff >> Math.min(8, Math.max(0, prefix - index * 8)))) === 0)
}

/**
 * Judges an address as the resolver or a URL gives it. Public is what is global unicast and neither translates nor
 * embeds another address: NAT64, 6to4, Teredo, IPv4-mapped and IPv4-compatible forms are refused unread, and a listed
 * network does not admit them by the address inside. What cannot be parsed is refused.
 */
export function judgeAddress(text: string, rules: AddressRules): AddressVerdict {
  if (!ipaddr.isValid(text) || text.includes('%')) return { ok: false }
  const address = ipaddr.parse(text)
  if (rules.networks.some((network) => contains(network, address))) {
    return { ok: true, loopback: address.range() === 'loopback' }
  }
  return isPublic(address) ? { ok: true, loopback: false } : { ok: false }
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast' || metadataAddresses.has(address.toString())) return false
  return address.kind() === 'ipv4' || address.match(globalUnicast)
}

function contains(network: string, address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  const [base, prefix] = ipaddr.parseCIDR(network)
  return base.kind() === address.kind() && address.match([base, prefix] as never)
}
