import type { Caller } from '../kernel/index.ts'

/** What of a request can prove who sent it. */
export interface Presented {
  /** Values of every `Authorization` header field, as received. More than one is refused. */
  readonly authorization: readonly string[]
  /** Values of every `DPoP` header field, as received (RFC 9449 section 4.1). */
  readonly dpop: readonly string[]
  /** Method of the request, as sent. */
  readonly method: string
  /** URL under which clients reach this server, without a slash at the end. */
  readonly publicUrl: string
  /** Public URL of the request: configured origin and path as sent, without query and fragment (`htu`). */
  readonly url: string
  /**
   * SHA-256 of the client's certificate in base64url (RFC 8705 section 3.1), where TLS ends here and the client proved
   * that it holds the key; `null` otherwise.
   */
  readonly certificateSha256: string | null
  readonly address: string
  /** What the client calls itself, unverified. */
  readonly claimedName: string | null
}

/** Why nobody was recognised. `credential_invalid` does not say what was wrong with it. */
export interface AuthenticationRefusal {
  readonly ok: false
  readonly code:
    | 'credential_missing'
    | 'credential_invalid'
    | 'dpop_proof_invalid'
    | 'dpop_nonce_required'
    | 'issuer_unavailable'
  /** For the record, in our words; nothing that the caller sent. */
  readonly reason: string
  /** Headers for the answer besides the challenge: `DPoP-Nonce`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Who it is, or why nobody was recognised. */
export type AuthenticationResult =
  | { readonly ok: true; readonly caller: Caller; readonly headers?: Readonly<Record<string, string>> }
  | AuthenticationRefusal

/**
 * The port that turns a credential into a caller. Checks revocation and expiry on every call.
 * Does not check scopes or policy. Never throws for what a caller sends.
 */
export interface Authenticator {
  authenticate(presented: Presented): Promise<AuthenticationResult>
}
