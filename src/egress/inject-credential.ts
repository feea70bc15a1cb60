import type { FetchOutcome, FetchPolicy, GuardedFetch, OutgoingRequest } from './guarded-fetch.ts'

/** A credential, and the only origin that may see it. */
export interface BoundCredential {
  /** As `URL.origin` writes it: scheme, host, and a port that is not the scheme's own. */
  readonly origin: string
  /** Lower-case name of the header. */
  readonly header: string
  /** The whole value of the header. */
  readonly value: string
  /** What of it is secret: an answer that holds this is withheld. */
  readonly secret: string
}

/** The answer, or why there is none. `origin-refused`: the request was for another place than the credential's. */
export type InjectedOutcome =
  | FetchOutcome
  | { readonly ok: false; readonly reason: 'origin-refused' | 'credential-refused' | 'secret-reflected' }

/** Headers by which a caller could speak for somebody else, or pass on what it was given itself. */
const credentialHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'dpop',
  'x-api-key',
])

/**
 * Sends one request with a credential added: the only way by which a stored credential leaves. What the caller put into
 * headers for credentials is taken out first, so that a client's own token never goes on. The request's origin has to
 * be exactly the credential's. Redirects are refused by the guarded fetch, so the credential is never sent a second
 * time to somewhere else. An answer that repeats the secret is withheld.
 * Does not decide who may use the credential.
 */
export async function fetchWithCredential(
  guardedFetch: GuardedFetch,
  credential: BoundCredential,
  url: string,
  request: OutgoingRequest,
  policy: FetchPolicy,
): Promise<InjectedOutcome> {
  if (!isHeader(credential)) return { ok: false, reason: 'credential-refused' }
  if (!URL.canParse(url) || new URL(url).origin !== credential.origin) return { ok: false, reason: 'origin-refused' }
  const own = Object.entries(request.headers ?? {}).filter(
    ([name]) => !credentialHeaders.has(name.toLowerCase()) && name.toLowerCase() !== credential.header,
  )
  const headers = { ...Object.fromEntries(own), [credential.header]: credential.value }
  const outcome = await guardedFetch(url, { ...request, headers }, policy)
  if (outcome.ok && reflects(outcome, credential.secret)) return { ok: false, reason: 'secret-reflected' }
  return outcome
}

/** A value with a line end in it would be more than one header. */
function isHeader({ header, value, secret }: BoundCredential): boolean {
  return /^[a-z0-9-]{1,100}$/.test(header) && /^[\x20-\x7e]{1,16384}$/.test(value) && secret.length > 0
}

function reflects({ headers, body }: FetchOutcome & { ok: true }, secret: string): boolean {
  // Shorter ones are found by chance.
  if (secret.length < 8) return false
  return Buffer.from(body).includes(secret) || Object.values(headers).some((value) => value.includes(secret))
}
