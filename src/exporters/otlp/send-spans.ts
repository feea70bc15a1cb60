import { taken, type Delivery } from '../delivery.ts'
import { postToReceiver, type HttpReceiver, type SendPorts } from '../post-to-receiver.ts'
import { readTraceAnswer } from './read-trace-answer.ts'

/** Answers that mean that these spans will never be taken (OTLP, "Failures": a bad request must not be sent again). */
const unacceptable: ReadonlySet<number> = new Set([400, 413, 422])

/**
 * Sends spans by OTLP over HTTP. What the receiver says it rejected of what it took (partial success) is not sent again,
 * as the protocol demands. An answer that is the operator's to put right (401, 404) is tried again and not dropped.
 * Never rejects.
 */
export async function sendSpans(receiver: HttpReceiver, request: Uint8Array, ports: SendPorts): Promise<Delivery> {
  const headers = { ...receiver.headers, 'content-type': 'application/x-protobuf' }
  const posted = await postToReceiver({ ...receiver, headers }, request, ports)
  if (!posted.ok) {
    const isBad = posted.status !== null && unacceptable.has(posted.status)
    return isBad ? { status: 'unacceptable', reason: posted.delivery.reason } : posted.delivery
  }
  const partial = readTraceAnswer(posted.contentType, posted.body)
  return partial === null ? taken : { status: 'taken', rejected: partial.rejectedSpans, note: partial.message }
}
