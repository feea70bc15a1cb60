import type { HttpConfig } from './config.ts'

/** Decides about an Origin header, given the Host header of the same request, which was checked before. */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean

/**
 * Makes the check of the Origin header: absent is fine (no browser), otherwise it must be this server's own origin or
 * on the list. `null`, which sandboxed frames and files send, is neither.
 * Own origin means scheme and the very Host header, port included; that a page of another site cannot have it rests
 * on the check of Host.
 */
export function createOriginCheck(config: HttpConfig): OriginCheck {
  const origins = new Set(config.allowedOrigins)
  if (config.publicUrl !== null) origins.add(new URL(config.publicUrl).origin)
  return (origin, host) => {
    if (origin === undefined || origins.has(origin)) return true
    return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
  }
}
