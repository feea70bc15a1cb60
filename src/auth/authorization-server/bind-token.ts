import type { TokenBinding } from './issue-access-token.ts'

/**
 * The key that a token is to be bound to, of what came with the request for it: that of the proof, else that of the
 * client's certificate (RFC 8705 section 3), else none. Both were verified before.
 */
export function bindToken(dpopThumbprint: string | null, certificateSha256: string | null): TokenBinding | null {
  if (dpopThumbprint !== null) return { kind: 'dpop', thumbprint: dpopThumbprint }
  return certificateSha256 === null ? null : { kind: 'certificate', sha256: certificateSha256 }
}
