/**
 * Whether a subject is a Kubernetes service account in full. Namespaces are DNS labels, names of service accounts DNS
 * subdomains (RFC 1123).
 */
export function isServiceAccount(sub: string | undefined): boolean {
  return (
    sub !== undefined &&
    /^system:serviceaccount:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?:[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(sub)
  )
}
