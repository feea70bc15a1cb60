import ipaddr from 'ipaddr.js'

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number]

/** Whose word about where a request came from is taken, as addresses (`10.0.0.1`) or ranges (`10.0.0.0/8`). */
export function isAddressOrRange(text: string): boolean {
  return ipaddr.isValidCIDR(text) || ipaddr.isValid(text)
}

/** Finds out where a request came from, given the address of its connection and its forwarding headers. */
export type ClientAddress = (
  connection: string,
  headers: { readonly forwarded: readonly string[]; readonly xForwardedFor: readonly string[] },
) => string

/**
 * Reads `Forwarded` (RFC 7239), or else `X-Forwarded-For`, from the right: each proxy appends whom it took the request
 * from, so that an entry is worth what the one that wrote it is worth. The first that is no trusted proxy is the
 * client. Without trusted proxies, from a connection that is none of them, or where an entry cannot be read, the
 * address is that of the connection, or of the last proxy that could be read.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const ranges = trustedProxies.map((text): Range => {
    if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text)
    const address = ipaddr.process(text)
    return [address, address instanceof ipaddr.IPv4 ? 32 : 128]
  })
  const isTrusted = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false
    const parsed = ipaddr.process(address)
    return ranges.some(([base, bits]) => parsed.kind() === base.kind() && parsed.match(base, bits))
  }
  return (connection, { forwarded, xForwardedFor }) => {
    if (ranges.length === 0 || !isTrusted(connection)) return connection
    const hops = forwarded.length > 0 ? forwardedHops(forwarded) : xForwardedFor.join(',').split(',')
    let client = connection
    for (const hop of hops.toReversed()) {
      const address = addressOf(hop.trim())
      if (address === null) return client
      client = address
      if (!isTrusted(address)) return client
    }
    return client
  }
}

/** The `for` of each element, in order; empty text where it has none. No value of ours holds a quoted comma. */
function forwardedHops(fields: readonly string[]): string[] {
  return fields
    .join(',')
    .split(',')
    .map((element) => /(?:^|;)\s*for=("[^"]*"|[^;]*)/i.exec(element.trim())?.[1]?.replaceAll('"', '') ?? '')
}

/** An address without brackets and port; `null` for anything else, such as `unknown` and `_hidden`. */
function addressOf(text: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([0-9.]+):\d{1,5}$/.exec(text)?.[1] ?? text
  const isAddress =
    ipaddr.IPv4.isValidFourPartDecimal(bare) || (/^[0-9a-fA-F:.]+$/.test(bare) && ipaddr.IPv6.isValid(bare))
  return isAddress ? ipaddr.process(bare).toString() : null
}
