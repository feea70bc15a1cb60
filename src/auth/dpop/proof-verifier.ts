import { hash, type KeyObject } from 'node:crypto'
import { isJsonObject, type Clock, type JsonObject } from '../../kernel/index.ts'
import { BoundedMap } from '../bounded-map.ts'
import { importPublicJwk, readPublicJwk, thumbprintOf } from '../signatures/public-jwk.ts'
import { readJws } from '../signatures/read-jws.ts'
import { fitsAlgorithm, isSignatureAlgorithm, isSignatureGood } from '../signatures/signature-algorithm.ts'
import { normalizeTarget } from './normalize-target.ts'
import type { ProofNonces } from './proof-nonces.ts'
import type { ProofReplayStore } from './proof-replay-store.ts'

/** A request with what it says of its key. */
export interface PresentedProof {
  /** Values of every `DPoP` header field, as received. */
  readonly proofs: readonly string[]
  readonly method: string
  /** Public URL of the request. Query and fragment do not count. */
  readonly url: string
  /** SHA-256 in base64url of the access token that comes with it (`ath`); `null` at the token endpoint. */
  readonly accessTokenSha256: string | null
  /** Thumbprint of the key that it must be by (`cnf.jkt`); `null` where any key will do. */
  readonly thumbprint: string | null
}

/** Whose key it is, or what is wrong. Its headers are for the answer to the request, whichever that will be. */
export type ProofOutcome =
  | { readonly ok: true; readonly thumbprint: string; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly ok: false
      readonly code: 'dpop_proof_invalid' | 'dpop_nonce_required'
      /** In our words. */
      readonly reason: string
      readonly headers?: Readonly<Record<string, string>>
    }

/** Verifies DPoP proofs. Never throws for what a caller sends. */
export interface ProofVerifier {
  verify(presented: PresentedProof): Promise<ProofOutcome>
}

/** What verification stands on. */
export interface ProofVerifierParts {
  readonly replay: ProofReplayStore
  /** `null` asks for no nonce. */
  readonly nonces: ProofNonces | null
  readonly clock: Clock
}

/** How far `iat` may lie from our clock, each way, in seconds. Differences between clocks are within it, not added to it. */
const proofWindowSeconds = 300

interface Proof {
  readonly header: JsonObject
  readonly claims: JsonObject
  readonly jwk: Readonly<Record<string, string>>
  readonly jti: string
  readonly iatMs: number
}

/**
 * Makes the verification of RFC 9449 section 4.3, for the resource server and for token endpoints alike. The `jti` is
 * remembered last, so that a proof that is refused for something else can be sent again, and with the key, so that
 * nobody can use up another's.
 */
export function createProofVerifier({ replay, nonces, clock }: ProofVerifierParts): ProofVerifier {
  const keys = new BoundedMap<string, KeyObject>(10_000)

  function keyOf(jwk: Proof['jwk'], thumbprint: string): KeyObject | null {
    const known = keys.get(thumbprint)
    if (known !== undefined) return known
    const key = importPublicJwk(jwk)
    if (key !== null) keys.set(thumbprint, key)
    return key
  }

  return {
    async verify(presented) {
      const [text] = presented.proofs
      if (text === undefined) return invalid('no DPoP proof')
      if (presented.proofs.length > 1) return invalid('more than one DPoP proof')
      const jws = readJws(text)
      if (jws === null) return invalid('the DPoP proof is no JWT')
      const { header } = jws
      const { alg } = header
      if (header.typ !== 'dpop+jwt') return invalid('typ is not dpop+jwt')
      if (!isSignatureAlgorithm(alg)) return invalid('alg is not an asymmetric signature')
      const jwk = isJsonObject(header.jwk) ? readPublicJwk(header.jwk) : null
      if (jwk === null) return invalid('jwk is not a public key and nothing else')
      const thumbprint = thumbprintOf(jwk)
      if (presented.thumbprint !== null && presented.thumbprint !== thumbprint)
        return invalid('the proof is by another key than the token is bound to')
      const claims = checkClaims(jws.claims, presented, clock.nowMs(), replay.rememberedSinceMs)
      if (typeof claims === 'string') return invalid(claims)
      const key = keyOf(jwk, thumbprint)
      if (key === null || !fitsAlgorithm(key, alg)) return invalid('jwk is no key for alg')
      if (!isSignatureGood(alg, key, jws.signed, jws.signature)) return invalid('the signature is not good')
      const nonce = nonces?.judge(jws.claims.nonce) ?? 'current'
      if (nonce === 'unknown') return nonceRequired(nonces)
      const used = hash('sha256', `${thumbprint} ${claims.jti}`, 'base64url').slice(0, 22)
      if (!(await replay.remember(used, claims.iatMs + (proofWindowSeconds + 1) * 1000)))
        return invalid('jti was used before, or cannot be remembered')
      return nonce === 'previous' && nonces !== null
        ? { ok: true, thumbprint, headers: { 'DPoP-Nonce': nonces.current() } }
        : { ok: true, thumbprint }
    },
  }
}

/** Points 8 to 12 of section 4.3 but for the nonce; a text says what is wrong. */
function checkClaims(
  claims: JsonObject,
  presented: PresentedProof,
  nowMs: number,
  rememberedSinceMs: number,
): { jti: string; iatMs: number } | string {
  const { jti, htm, htu, iat, ath } = claims
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > 512) return 'jti is missing or too long'
  if (htm !== presented.method) return 'htm is another method'
  if (!isTarget(htu, presented.url)) return 'htu is another address'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'iat is missing'
  const iatMs = iat * 1000
  if (Math.abs(nowMs - iatMs) > proofWindowSeconds * 1000) return 'iat is too far from our clock'
  if (iatMs < rememberedSinceMs) return 'iat is before the start of this server'
  if (presented.accessTokenSha256 !== null && ath !== presented.accessTokenSha256) return 'ath is of another token'
  return { jti, iatMs }
}

function isTarget(htu: unknown, url: string): boolean {
  if (typeof htu !== 'string') return false
  if (htu === url) return true
  const claimed = normalizeTarget(htu)
  return claimed !== null && claimed === normalizeTarget(url)
}

function invalid(reason: string): ProofOutcome {
  return { ok: false, code: 'dpop_proof_invalid', reason }
}

function nonceRequired(nonces: ProofNonces | null): ProofOutcome {
  return {
    ok: false,
    code: 'dpop_nonce_required',
    reason: 'the proof has no nonce of ours, or an old one',
    headers: nonces === null ? {} : { 'DPoP-Nonce': nonces.current() },
  }
}
