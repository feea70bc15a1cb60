import { isJsonObject } from '../../kernel/index.ts'

/** What is sealed as `tokens`. */
export interface UpstreamTokens {
  readonly accessToken: string
  readonly refreshToken: string | null
  /** Issuer that gave them: they are refreshed and revoked there and nowhere else. */
  readonly issuer: string
  /** Resource that they are for (RFC 8707). */
  readonly resource: string
}

/** For sealing. */
export function writeTokens(tokens: UpstreamTokens): string {
  return JSON.stringify(tokens)
}

/** What was sealed; `null` where it is nothing of the kind. */
export function readTokens(text: string): UpstreamTokens | null {
  const value: unknown = JSON.parse(text)
  if (!isJsonObject(value)) return null
  const { accessToken, refreshToken, issuer, resource } = value
  if (typeof accessToken !== 'string' || typeof issuer !== 'string' || typeof resource !== 'string') return null
  return { accessToken, refreshToken: typeof refreshToken === 'string' ? refreshToken : null, issuer, resource }
}
