import type { EnvelopeResult } from './check-envelope.ts'
import type { McpRequest } from './mcp-request.ts'
import type { Message } from './read-message.ts'
import { refuseBody, refuseMessage, type ProtocolRefusal } from './refuse-message.ts'
import type { Session, Sessions } from './sessions.ts'

/** Said of a session that never was, has ended, or is somebody else's. The status tells clients to start anew. */
export const sessionUnknown: ProtocolRefusal = {
  status: 404,
  code: -32600,
  message: 'There is no such session. Send initialize to start one.',
  data: null,
}

/** The session that the request names, `null` where it names none. The new era has no sessions and ignores the header. */
export function findSession(
  call: McpRequest,
  era: EnvelopeResult['era'],
  sessions: Sessions,
): Session | 'unknown' | null {
  const id = call.head.sessionId
  if (era !== 'legacy' || id === undefined) return null
  return sessions.find(id, call.caller, call.namespace) ?? 'unknown'
}

/** Hands a client's answer to the request of ours that waits for it in the caller's own session. */
export function takeResponse(
  call: McpRequest,
  message: Extract<Message, { kind: 'response' }>,
  sessions: Sessions,
): void {
  const id = call.head.sessionId
  const session = id === undefined ? null : sessions.find(id, call.caller, call.namespace)
  if (session === null) return refuseMessage(call, sessionUnknown, null)
  const deliver = session.waiting.get(message.id)
  if (deliver === undefined)
    return refuseBody(call, 'invalid_request', null, 'No request of that id is waiting for an answer.')
  session.waiting.delete(message.id)
  deliver({ jsonrpc: '2.0', ...(message.result === null ? { error: message.error } : { result: message.result }) })
  accept(call)
}

/**
 * Takes a notification. Only `notifications/cancelled` of the older revisions does anything: it stops the request of
 * that id in the caller's own session. In the new era a client cancels by closing the stream.
 */
export function takeNotification(
  call: McpRequest,
  era: EnvelopeResult['era'],
  message: Extract<Message, { kind: 'notification' }>,
  sessions: Sessions,
): void {
  const session = findSession(call, era, sessions)
  if (session === 'unknown') return refuseMessage(call, sessionUnknown, null)
  const { requestId } = message.params
  if (session !== null && message.method === 'notifications/cancelled') {
    if (typeof requestId === 'string' || typeof requestId === 'number') session.running.get(requestId)?.()
  }
  accept(call)
}

function accept({ response }: McpRequest): void {
  response.writeHead(202, { 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no', 'Content-Length': '0' })
  response.end()
}
