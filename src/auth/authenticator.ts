import type { Caller } from '../kernel/index.ts'

/** What of a request can prove who sent it. */
export interface Presented {
  /** Values of every `Authorization` header field, as received. More than one is refused. */
  readonly authorization: readonly string[]
  readonly address: string
  /** What the client calls itself, unverified. */
  readonly claimedName: string | null
}

/** Who it is, or why nobody was recognised. `credential_invalid` does not say what was wrong with it. */
export type AuthenticationResult =
  | { readonly ok: true; readonly caller: Caller }
  | { readonly ok: false; readonly code: 'credential_missing' | 'credential_invalid'; readonly reason: string }

/**
 * The port that turns a credential into a caller. Checks revocation and expiry on every call.
 * Does not check scopes or policy. Never throws for what a caller sends.
 */
export interface Authenticator {
  authenticate(presented: Presented): Promise<AuthenticationResult>
}
