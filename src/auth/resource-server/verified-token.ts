import type { AccessTokenFacts, Scope } from '../../kernel/index.ts'

/** The key that a token is bound to (`cnf`; RFC 9449 section 6.1, RFC 8705 section 3.1). */
export type Confirmation =
  | { readonly kind: 'none' }
  | { readonly kind: 'dpop'; readonly thumbprint: string }
  | { readonly kind: 'mtls'; readonly certificateSha256: string }

/** What a good access token says, once its issuer is known to have said it. */
export interface VerifiedToken {
  /** The credential of the registry that it stands for. */
  readonly credentialId: string
  readonly principalId: string
  /** Identifier of the one resource that it was verified for. */
  readonly resource: string
  readonly scopes: readonly Scope[]
  readonly confirmation: Confirmation
  /** Unix milliseconds from which on it is refused, differences between clocks included. */
  readonly expiresAtMs: number
  /** Unix milliseconds until which this may be relied on without asking its issuer again. */
  readonly freshUntilMs: number
  readonly facts: AccessTokenFacts
  /** Whether this server issued it, so that it knows of revocations. */
  readonly own: boolean
}

/** The token, or why it is none to rely on. Reasons are in our words. */
export type TokenOutcome =
  | { readonly ok: true; readonly token: VerifiedToken }
  | {
      readonly ok: false
      readonly code: 'credential_invalid' | 'issuer_unavailable'
      readonly reason: string
    }

/** The token is no good. */
export function invalidToken(reason: string): TokenOutcome & { readonly ok: false } {
  return { ok: false, code: 'credential_invalid', reason }
}
