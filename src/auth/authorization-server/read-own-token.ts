import { jwtVerify } from 'jose'
import type { SigningKeys } from './signing-keys.ts'

/** An access token of ours that somebody wants revoked (RFC 7009), read and verified. */
export interface PresentedToken {
  readonly tokenId: string
  readonly clientId: string
  /** The credential that it was issued under. */
  readonly credentialId: string
  readonly expiresAtSeconds: number
}

/** What an access token of ours says; `null` where it is none, or is no longer good. */
export async function readOwnToken(
  text: string,
  issuer: string,
  keys: Pick<SigningKeys, 'find'>,
  nowMs: number,
): Promise<PresentedToken | null> {
  try {
    const { payload } = await jwtVerify(
      text,
      ({ kid = '', alg }) => {
        const key = keys.find(kid)
        if (key === null || key.algorithm !== alg) throw new Error('not signed by a key of ours')
        return key.publicKey
      },
      { issuer, typ: 'at+jwt', currentDate: new Date(nowMs) },
    )
    const { jti, exp, client_id: clientId, mcpworks_credential: credentialId } = payload
    if (jti === undefined || exp === undefined) return null
    if (typeof clientId !== 'string' || typeof credentialId !== 'string') return null
    return { tokenId: jti, clientId, credentialId, expiresAtSeconds: exp }
  } catch {
    // Nothing to revoke then: whoever verifies it refuses it as well.
    return null
  }
}
