import type { FetchRefusal } from './guarded-fetch.ts'
import type { AddressRules } from './address-rules.ts'

/** Bounds of one delivery. */
export interface StreamPolicy {
  /** Milliseconds for everything: resolving, connecting, TLS, writing, and the other side's end. */
  readonly timeoutMs: number
  readonly allow: AddressRules
  /** Gives the delivery up. */
  readonly signal: AbortSignal
}

/** Whether the other side has read everything, or why not. */
export type StreamOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: FetchRefusal }

/**
 * Delivers messages to `tls://HOST:PORT`, `tcp://HOST:PORT`, `udp://HOST:PORT` or `unix:PATH`, for protocols without
 * answers. Over a stream they are written one after the other, this side is closed, and the delivery is good when the
 * other side has then closed its own: what ends before that, or with an error, is not, because bytes that only the
 * kernel of the other machine took are lost with the process that they were for. Over UDP each is a datagram, and
 * nobody can know more than that it was sent.
 * Names are resolved once and the addresses checked as for `GuardedFetch`: without TLS to loopback only, and only where
 * the policy lists that. Never rejects for what the network does.
 */
export type GuardedStream = (
  address: string,
  messages: readonly Uint8Array[],
  policy: StreamPolicy,
) => Promise<StreamOutcome>
