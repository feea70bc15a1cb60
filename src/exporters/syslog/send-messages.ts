import type { GuardedStream } from '../../egress/index.ts'
import { refused, taken, type Delivery } from '../delivery.ts'
import { countOctets } from './syslog-message.ts'

/** A receiver of syslog. */
export interface SyslogReceiver {
  /** `tls://HOST:PORT`, `tcp://HOST:PORT`, `udp://HOST:PORT` or `unix:PATH`, which is a stream. */
  readonly url: string
  readonly networks: readonly string[]
}

const timeoutMs = 30_000

/**
 * Sends messages over a connection of their own, by octet counting on a stream (RFC 5425, RFC 6587) and as one datagram
 * each over UDP (RFC 5426). Syslog has no acknowledgement: over a stream they are taken when the receiver closed its
 * side after this one was closed, which it does when it has read everything. Over UDP what is lost is lost. Never rejects.
 */
export async function sendMessages(
  { url, networks }: SyslogReceiver,
  messages: readonly string[],
  stream: GuardedStream,
  signal: AbortSignal,
): Promise<Delivery> {
  const isDatagrams = url.startsWith('udp:')
  const written = messages.map((message) => Buffer.from(isDatagrams ? message : countOctets(message), 'latin1'))
  const outcome = await stream(url, written, { timeoutMs, allow: { networks }, signal })
  return outcome.ok ? taken : refused(outcome.reason)
}
