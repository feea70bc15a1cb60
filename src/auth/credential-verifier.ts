import type { AuthenticationResult, Presented } from './authenticator.ts'

/** An `Authorization` header taken apart (RFC 9110 section 11.4). */
export interface SchemeAndCredential {
  /** Lower case. */
  readonly scheme: 'bearer' | 'dpop'
  readonly credential: string
}

/** Verifies credentials of one kind. Kinds do not overlap: at most one verifier accepts a credential. */
export interface CredentialVerifier {
  /** Whether this has the form of a credential of this kind. Says nothing about validity. */
  accepts(presented: SchemeAndCredential): boolean
  /** Never throws for what a caller sends. */
  verify(credential: SchemeAndCredential, presented: Presented): Promise<AuthenticationResult>
}
