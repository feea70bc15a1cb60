import type { AddressRules } from './address-rules.ts'

/** What is to be sent. */
export interface OutgoingRequest {
  /** `GET` unless told otherwise. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** By name. Those that frame the message or name the host are set here and cannot be given. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Gives the request up. */
  readonly signal?: AbortSignal
}

/** Bounds of one request. Every request states its own. */
export interface FetchPolicy {
  /** What it is for, in our words (`issuer-keys`); at most 16 requests of one purpose are under way at once. */
  readonly purpose: string
  /** Largest answer body in bytes. A larger one is refused, not cut. */
  readonly maxBytes: number
  /** Milliseconds for everything: resolving, connecting, TLS, sending, the whole answer. */
  readonly timeoutMs: number
  /** Milliseconds until the answer's head; `timeoutMs` unless told otherwise. */
  readonly firstByteTimeoutMs?: number
  readonly allow: AddressRules
}

/** Why there is no answer. `unreachable` and `unresolvable` may pass; the answerer is at fault for the rest but `busy`. */
export type FetchRefusal =
  | 'url-refused'
  | 'address-refused'
  | 'unresolvable'
  | 'unreachable'
  | 'certificate-refused'
  | 'redirect-refused'
  | 'encoding-refused'
  | 'too-large'
  | 'malformed'
  | 'timeout'
  | 'aborted'
  | 'busy'

/** The answer, or why there is none. An answer of any status but a redirect is an answer. */
export type FetchOutcome =
  | {
      readonly ok: true
      readonly status: number
      /** By lower-case name; values of repeated fields joined with a comma and space. */
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
    }
  | { readonly ok: false; readonly reason: FetchRefusal }

/**
 * Sends one request to an address that was checked. The host name is resolved once, every address of the answer must
 * be allowed by the policy, and only those addresses are dialled, with the name in TLS and `Host`. Redirects and
 * content codings are refused, no proxy is taken from the environment, connections are not reused. Does not check what
 * the answer says, its media type or that its sender may say it. Never rejects for what the network does.
 * @throws TypeError for a header that the caller may not set.
 */
export type GuardedFetch = (url: string, request: OutgoingRequest, policy: FetchPolicy) => Promise<FetchOutcome>
