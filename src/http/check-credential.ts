import { metadataUrlOf, requestedResource, signatureAlgorithms, type AuthenticationRefusal } from '../auth/index.ts'
import type { Caller, Scope } from '../kernel/index.ts'

/** What a challenge is made from: the request and where clients reach this server. */
export interface Challenged {
  readonly publicUrl: string
  readonly url: string
  /** Values of every `Authorization` header. */
  readonly authorization: readonly string[]
}

type Headers = Readonly<Record<string, string | readonly string[]>>
type Parameters = Readonly<Record<string, string>>

/**
 * The challenges of a refused credential (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1), one for each
 * scheme. Where nothing was presented there is no `error`. The scheme that was used comes with the error; what was wrong
 * with the credential is not said. None where the credential could not be judged at all.
 */
export function credentialChallenge(code: AuthenticationRefusal['code'], request: Challenged): Headers {
  if (code === 'issuer_unavailable') return { 'Retry-After': '30' }
  const facts = factsOf(request)
  if (code === 'credential_missing') return challenges(facts, {}, {})
  const error = errors[code]
  return presentedDpop(request) || code !== 'credential_invalid'
    ? challenges(facts, {}, error)
    : challenges(facts, error, {})
}

const errors = {
  credential_invalid: { error: 'invalid_token', error_description: 'The credential is unknown, expired or revoked' },
  dpop_proof_invalid: {
    error: 'invalid_dpop_proof',
    error_description: 'The DPoP proof is missing or not good for this request',
  },
  dpop_nonce_required: { error: 'use_dpop_nonce', error_description: 'The DPoP proof needs the nonce of DPoP-Nonce' },
} as const

/** RFC 6750 section 3.1: the credential is good for something else; names every scope needed. */
export function scopeChallenge(scope: Scope, caller: Caller, request: Challenged): Headers {
  const error = { error: 'insufficient_scope', error_description: `This needs the scope ${scope}` }
  const facts = { ...factsOf(request), scope }
  return caller.authentication.senderConstrained && presentedDpop(request)
    ? { 'WWW-Authenticate': challenge('DPoP', { ...error, ...facts, ...algorithms }) }
    : { 'WWW-Authenticate': challenge('Bearer', { ...error, ...facts }) }
}

const algorithms = { algs: signatureAlgorithms.join(' ') }

function factsOf({ publicUrl, url }: Challenged): { resource_metadata: string; scope: string } {
  const { identifier, scope } = requestedResource(publicUrl, url)
  return { resource_metadata: metadataUrlOf(identifier), scope }
}

function presentedDpop({ authorization }: Challenged): boolean {
  return /^dpop /i.test(authorization[0] ?? '')
}

/** Bearer first: clients that know one scheme look at the first challenge. */
function challenges(facts: Parameters, bearer: Parameters, dpop: Parameters): Headers {
  return {
    'WWW-Authenticate': [
      challenge('Bearer', { ...bearer, ...facts }),
      challenge('DPoP', { ...dpop, ...facts, ...algorithms }),
    ],
  }
}

function challenge(scheme: 'Bearer' | 'DPoP', parameters: Parameters): string {
  const written = Object.entries({ realm: 'mcpworks', ...parameters }).map(([name, value]) => `${name}="${value}"`)
  return `${scheme} ${written.join(', ')}`
}
