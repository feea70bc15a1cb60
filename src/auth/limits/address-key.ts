import ipaddr from 'ipaddr.js'

/**
 * What an address is counted as: an IPv4 address itself, also where it comes mapped into IPv6, and of an IPv6 address
 * its /64, because whoever has one of those has all of it (RFC 6177). Text that is no address is counted as it is.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  // As node gives IPv4 connections of a socket for both; taken apart here because parsing costs more than all the rest.
  if (/^::ffff:\d+\.\d+\.\d+\.\d+$/.test(address)) return address.slice(7)
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return parsed.toString()
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`
}

/** The network that an address is in for counting many together: its /16 (IPv4) or /32 (IPv6). */
export function addressNetwork(address: string): string {
  if (!ipaddr.isValid(address)) return ''
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv4) return `${parsed.octets.slice(0, 2).join('.')}.0.0/16`
  return `${parsed.parts
    .slice(0, 2)
    .map((part) => part.toString(16))
    .join(':')}::/32`
}
