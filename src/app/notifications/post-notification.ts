import { createHmac } from 'node:crypto'
import { signWebhook, type GuardedFetch } from '../../egress/index.ts'
import type { Clock } from '../../kernel/index.ts'
import type { Notification } from './notification.ts'

/** Where a channel is told, and with what it knows that it is told by us. */
export interface Webhook {
  readonly channel: string
  readonly url: string
  readonly key: Uint8Array
  readonly networks: readonly string[]
}

const maxAnswerBytes = 64 * 1024
const timeoutMs = 15_000

/** The key of a channel, so that what one receiver knows forges nothing for another. */
export function channelKey(secret: string, channel: string): Uint8Array {
  return createHmac('sha256', secret).update(channel).digest()
}

/**
 * Tells a channel, signed as the Standard Webhooks specification says (`webhook-id`, `webhook-timestamp`,
 * `webhook-signature: v1,...`). Answers `null` when the receiver took it (any 2xx), else why not. Never rejects.
 */
export async function postNotification(
  { channel, url, key, networks }: Webhook,
  { id, type, about }: Notification,
  { fetch, clock, signal }: { readonly fetch: GuardedFetch; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string | null> {
  const body = JSON.stringify({ type, channel, data: about })
  const outcome = await fetch(
    url,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signWebhook(key, id, clock.nowMs(), body) },
      body,
      signal,
    },
    { purpose: 'notification', maxBytes: maxAnswerBytes, timeoutMs, allow: { networks } },
  )
  if (!outcome.ok) return outcome.reason
  return outcome.status >= 200 && outcome.status < 300 ? null : `status ${outcome.status}`
}
