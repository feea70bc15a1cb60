import { constants, verify, type KeyObject } from 'node:crypto'

interface Row {
  readonly keyType: 'ec' | 'rsa' | 'ed25519'
  /** Curve of an EC key, by OpenSSL's name. */
  readonly curve?: string
  readonly digest: string | null
  readonly pss?: true
}

const rows = {
  ES256: { keyType: 'ec', curve: 'prime256v1', digest: 'sha256' },
  ES384: { keyType: 'ec', curve: 'secp384r1', digest: 'sha384' },
  ES512: { keyType: 'ec', curve: 'secp521r1', digest: 'sha512' },
  EdDSA: { keyType: 'ed25519', digest: null },
  Ed25519: { keyType: 'ed25519', digest: null },
  PS256: { keyType: 'rsa', digest: 'sha256', pss: true },
  PS384: { keyType: 'rsa', digest: 'sha384', pss: true },
  PS512: { keyType: 'rsa', digest: 'sha512', pss: true },
  RS256: { keyType: 'rsa', digest: 'sha256' },
  RS384: { keyType: 'rsa', digest: 'sha384' },
  RS512: { keyType: 'rsa', digest: 'sha512' },
} satisfies Record<string, Row>

/** A JWS algorithm (RFC 7518 section 3.1, RFC 8037, RFC 9864) with a public key. `none` and shared secrets are none. */
export type SignatureAlgorithm = keyof typeof rows

/** Every such algorithm. */
export const signatureAlgorithms = Object.keys(rows) as readonly SignatureAlgorithm[]

const table: Readonly<Record<SignatureAlgorithm, Row>> = rows

/** Whether a header's `alg` is one of them, spelled exactly so. */
export function isSignatureAlgorithm(value: unknown): value is SignatureAlgorithm {
  return typeof value === 'string' && Object.hasOwn(table, value)
}

/** Whether a key is one for the algorithm: of its type and curve, and where RSA of 2048 bits or more (RFC 7518 section 3.3). */
export function fitsAlgorithm(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const { keyType, curve }: Row = table[algorithm]
  if (key.type !== 'public' || key.asymmetricKeyType !== keyType) return false
  const details = key.asymmetricKeyDetails
  return keyType === 'rsa' ? (details?.modulusLength ?? 0) >= 2048 : details?.namedCurve === curve
}

/**
 * Verifies with `node:crypto`, synchronously: a hop to another thread costs more than the check itself. The caller has
 * checked that the key fits. `false` also for a signature of the wrong length or form.
 */
export function isSignatureGood(
  algorithm: SignatureAlgorithm,
  key: KeyObject,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { keyType, digest, pss }: Row = table[algorithm]
  if (keyType === 'ec') return verify(digest, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
  if (pss === undefined) return verify(digest, signed, key, signature)
  return verify(
    digest,
    signed,
    { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    signature,
  )
}
