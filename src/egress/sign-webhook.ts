import { createHmac } from 'node:crypto'

/**
 * Headers by which a receiver knows who sent a body, and when, as the Standard Webhooks specification has them: an
 * HMAC-SHA256 over id, seconds since 1970 and body.
 */
export function signWebhook(key: Uint8Array, id: string, nowMs: number, body: string): Record<string, string> {
  const seconds = String(Math.floor(nowMs / 1000))
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` }
}

/** The key that a secret means: `whsec_` and base64 as Standard Webhooks writes it, or the text itself. */
export function webhookKey(secret: string): Uint8Array {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
}

/** What is wrong with a secret as a webhook's; `null` where it is good. A sentence without it. */
export function webhookSecretMistake(secret: string): string | null {
  if (secret.length < 32) return 'a webhook needs a secret of at least 32 characters'
  if (!secret.startsWith('whsec_')) return null
  // What is no base64 is passed over in reading it: of a mistake there could be an empty key left.
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)) return 'what stands behind whsec_ must be base64'
  return webhookKey(secret).length < 24 ? 'what stands behind whsec_ must be at least 24 bytes' : null
}
