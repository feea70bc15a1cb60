import type { Authenticator } from './authenticator.ts'
import type { CredentialVerifier, SchemeAndCredential } from './credential-verifier.ts'

const refused = { ok: false, code: 'credential_invalid' } as const

/**
 * Reads the one `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1; no other place is looked at) and
 * hands its credential to the verifier of its kind. What no verifier knows is refused.
 */
export function createAuthenticator(verifiers: readonly CredentialVerifier[]): Authenticator {
  return {
    async authenticate(presented) {
      if (presented.authorization.length === 0)
        return { ok: false, code: 'credential_missing', reason: 'no Authorization header' }
      const [header] = presented.authorization
      if (presented.authorization.length > 1 || header === undefined) {
        return { ...refused, reason: 'more than one Authorization header' }
      }
      const credential = takeApart(header)
      if (credential === null) return { ...refused, reason: 'neither a Bearer nor a DPoP credential' }
      const verifier = verifiers.find((candidate) => candidate.accepts(credential))
      if (verifier === undefined) return { ...refused, reason: 'not of the form of any credential' }
      return verifier.verify(credential, presented)
    },
  }
}

/** `token68` of RFC 9110 section 11.2 and nothing around it. */
function takeApart(header: string): SchemeAndCredential | null {
  const match = /^(bearer|dpop) +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header)
  if (match?.[1] === undefined || match[2] === undefined) return null
  return { scheme: match[1].toLowerCase() === 'dpop' ? 'dpop' : 'bearer', credential: match[2] }
}
