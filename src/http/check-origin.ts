import type { HttpConfig } from './config.ts'

/** Decides about an Origin header. */
export type OriginCheck = (origin: string | undefined) => boolean

/**
 * Makes the check of the Origin header: absent is fine (no browser), otherwise it must equal an entry of the list.
 * `null`, which sandboxed frames and files send, is never on it.
 */
export function createOriginCheck(config: HttpConfig): OriginCheck {
  const origins = new Set(config.allowedOrigins)
  if (config.publicUrl !== null) origins.add(new URL(config.publicUrl).origin)
  return (origin) => origin === undefined || origins.has(origin)
}
