const pattern = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/

/**
 * The trust domain of a workload's SPIFFE ID (SPIFFE-ID section 2); `null` where the text is none. An ID without a path
 * names the trust domain and no workload.
 */
export function trustDomainOf(spiffeId: string): string | null {
  if (spiffeId.length > 2048) return null
  const match = pattern.exec(spiffeId)
  if (match?.[1] === undefined || match[2] === undefined) return null
  const dotted = match[2].split('/').some((segment) => segment === '.' || segment === '..')
  return dotted ? null : match[1]
}
