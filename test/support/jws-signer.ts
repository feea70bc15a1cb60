import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import type { JsonObject } from '../../src/kernel/index.ts'

/** Members by name; one that is `undefined` is left out. */
export type Wishes = Readonly<Record<string, JsonObject[string] | undefined>>

/** Algorithms that tests sign by. */
export type SignerAlgorithm = 'ES256' | 'EdDSA' | 'RS256'

/** A key pair that signs whatever it is asked to. */
export interface JwsSigner {
  readonly algorithm: SignerAlgorithm
  readonly publicKey: KeyObject
  readonly publicJwk: JsonObject
  readonly privateJwk: JsonObject
  /** RFC 7638. */
  readonly thumbprint: string
  /** A compact JWS with exactly this header besides `alg`, which can be overruled: the signature is by the own one. */
  sign(header: Wishes, claims: Wishes): string
}

/** Makes a signer with a key of its own. RSA takes some 100 ms. */
export function createJwsSigner(algorithm: SignerAlgorithm = 'ES256'): JwsSigner {
  const { publicKey, privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : algorithm === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const privateJwk = privateKey.export({ format: 'jwk' })
  // Through JWK and back: of a generated key Node would make a new handle with every signature.
  const key = createPrivateKey({ key: privateJwk, format: 'jwk' })
  const publicJwk = publicKey.export({ format: 'jwk' })
  return {
    algorithm,
    publicKey,
    publicJwk: publicJwk as JsonObject,
    privateJwk: privateJwk as JsonObject,
    thumbprint: thumbprintOf(publicJwk),
    sign(header, claims) {
      const input = `${part({ alg: algorithm, ...header })}.${part(claims)}`
      const digest = algorithm === 'EdDSA' ? null : 'sha256'
      return `${input}.${sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
  }
}

/** What a proof should differ in from a right one. */
export interface ProofWishes {
  readonly claims?: Wishes
  readonly header?: Wishes
}

/** A DPoP proof (RFC 9449 section 4.2) for a request, with the access token that goes with it. */
export function dpopProof(
  signer: JwsSigner,
  request: { readonly method: string; readonly url: string; readonly token: string | null; readonly nowMs: number },
  { claims = {}, header = {} }: ProofWishes = {},
): string {
  const { method, url, token, nowMs } = request
  return signer.sign(
    { typ: 'dpop+jwt', jwk: signer.publicJwk, ...header },
    {
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(nowMs / 1000),
      ath: token === null ? undefined : createHash('sha256').update(token).digest('base64url'),
      ...claims,
    },
  )
}

function part(value: Wishes): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function thumbprintOf({ crv, e, kty, n, x, y }: JsonWebKey): string {
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}
