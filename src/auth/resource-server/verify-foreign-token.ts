import type { Jws } from '../signatures/read-jws.ts'
import { isSignatureAlgorithm, isSignatureGood } from '../signatures/signature-algorithm.ts'
import type { ForeignIssuer } from './foreign-issuer.ts'
import { readForeignClaims, type ForeignReading } from './read-foreign-claims.ts'
import { invalidToken, type TokenOutcome } from './verified-token.ts'

/**
 * Verifies a JWT access token of a trusted issuer (RFC 9068 section 4, RFC 8725). The key is found by `kid` among those
 * that the issuer publishes and nowhere else: `jku`, `jwk`, `x5u` and `x5c` are never looked at.
 */
export async function verifyForeignToken(
  { header, claims, signed, signature }: Jws,
  issuer: ForeignIssuer,
  reading: ForeignReading,
): Promise<TokenOutcome> {
  const { typ, alg, kid } = header
  if (typ !== undefined && typeof typ !== 'string') return invalidToken('typ is no text')
  if (!issuer.profile.types.includes((typ ?? '').toLowerCase()))
    return invalidToken('typ is that of another kind of token')
  if (!isSignatureAlgorithm(alg) || !issuer.algorithms.includes(alg))
    return invalidToken('alg is not one of the issuer')
  if (kid !== undefined && typeof kid !== 'string') return invalidToken('kid is no text')
  const found = await issuer.keys.find(kid ?? null, alg)
  if (!found.ok && found.why === 'unavailable')
    return { ok: false, code: 'issuer_unavailable', reason: 'the keys of the issuer cannot be had' }
  if (!found.ok) return invalidToken('no key of the issuer has this kid and alg')
  if (!isSignatureGood(alg, found.key, signed, signature)) return invalidToken('the signature is not good')
  return readForeignClaims(issuer, claims, reading)
}
