import type { GuardedFetch } from '../egress/index.ts'
import type { Clock } from '../kernel/index.ts'
import type { Delivery } from './delivery.ts'

/** A receiver that is reached over HTTP. */
export interface HttpReceiver {
  readonly url: string
  /** With the secret among them. */
  readonly headers: Readonly<Record<string, string>>
  /** Networks beyond the public ones in which it may be. */
  readonly networks: readonly string[]
}

/** What sending stands on. */
export interface SendPorts {
  readonly fetch: GuardedFetch
  readonly clock: Clock
  /** Aborted when the server closes: a receiver that answers slowly must not keep it. */
  readonly signal: AbortSignal
}

/** An answer of 2xx, or what became of the attempt. */
export type Posted =
  | { readonly ok: true; readonly contentType: string; readonly body: Uint8Array }
  | { readonly ok: false; readonly status: number | null; readonly delivery: Extract<Delivery, { status: 'refused' }> }

const maxAnswerBytes = 64 * 1024
const timeoutMs = 30_000

/** Posts a body. Any 2xx is taken; how long the receiver asks to be left alone (`Retry-After`) is handed on. Never rejects. */
export async function postToReceiver(
  { url, headers, networks }: HttpReceiver,
  body: Uint8Array | string,
  { fetch, clock, signal }: SendPorts,
): Promise<Posted> {
  const outcome = await fetch(
    url,
    { method: 'POST', headers, body, signal },
    { purpose: 'export', maxBytes: maxAnswerBytes, timeoutMs, allow: { networks } },
  )
  if (!outcome.ok) return { ok: false, status: null, delivery: refusal(outcome.reason, 0) }
  const { status } = outcome
  if (status >= 200 && status < 300)
    return { ok: true, contentType: outcome.headers['content-type'] ?? '', body: outcome.body }
  const retryAfterMs = readRetryAfter(outcome.headers['retry-after'], clock.nowMs())
  return { ok: false, status, delivery: refusal(`status ${status}`, retryAfterMs) }
}

function refusal(reason: string, retryAfterMs: number): Extract<Delivery, { status: 'refused' }> {
  return { status: 'refused', reason, retryAfterMs }
}

/** Milliseconds that a `Retry-After` asks for (RFC 9110 section 10.2.3): seconds, or a date. 0 for anything else. */
export function readRetryAfter(text: string | undefined, nowMs: number): number {
  if (text === undefined) return 0
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs)
}
