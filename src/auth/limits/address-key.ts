import ipaddr from 'ipaddr.js'

/**
 * What an address is counted as: an IPv4 address itself, also where it comes mapped into IPv6, and of an IPv6 address
 * its /64, because whoever has one of those has all of it (RFC 6177). Text that is no address is counted as it is.
 */
export function addressKey(address: string): string {
  if (!address.includes(':') || !ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}
