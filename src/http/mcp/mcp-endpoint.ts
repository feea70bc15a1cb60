import { errorTable, McpworksError, type JsonObject } from '../../kernel/index.ts'
import { isJsonContent } from '../content-type.ts'
import { parseJson } from '../parse-json.ts'
import { readBody } from '../read-body.ts'
import { abandonBody } from '../respond.ts'
import { checkEnvelope, type EnvelopeResult } from './check-envelope.ts'
import { createExchange } from './create-exchange.ts'
import { RpcError, type Exchange } from './exchange.ts'
import { openSession } from './initialize.ts'
import type { McpRequest } from './mcp-request.ts'
import type { McpServices } from './mcp-services.ts'
import { legacyMethods, modernMethods, type Method } from './methods.ts'
import { readMessage, type Message } from './read-message.ts'
import { refuseBody, refuseMessage, sendRpcError, type ProtocolRefusal } from './refuse-message.ts'
import { Reply } from './reply.ts'
import { serveCall } from './serve-call.ts'
import { serveWithSdk } from './serve-with-sdk.ts'
import type { Session } from './sessions.ts'
import { findSession, sessionUnknown, takeNotification, takeResponse } from './take-message.ts'

type Incoming = Extract<Message, { kind: 'request' }>
type Envelope = Exclude<EnvelopeResult, { era: 'none' }>

/** Serves one POST to `/mcp/{namespace}`: body, JSON, JSON-RPC, revision, method, in this order. Answers exactly once. */
export async function serveMcp(call: McpRequest, services: McpServices): Promise<void> {
  const { head, request, response } = call
  if (!isJsonContent(head)) {
    abandonBody(request, response)
    return refuseBody(call, 'unsupported_media_type', null, 'content type')
  }
  const body = await readBody(request, services.config.maxBodyBytes)
  if (!body.ok) {
    if (body.reason === 'aborted') return
    abandonBody(request, response)
    return refuseBody(call, 'body_too_large', null, 'body size')
  }
  const parsed = parseJson(body.bytes, services.config.maxJsonDepth)
  if (!parsed.ok) return refuseBody(call, 'invalid_json', null, parsed.message)
  const message = readMessage(parsed.value)
  if (message.kind === 'invalid') return refuseBody(call, 'invalid_request', message.id, message.message)
  if (message.kind === 'response') return takeResponse(call, message, services.sessions)
  const envelope = checkEnvelope(head, message)
  if (envelope.era === 'none') {
    return refuseMessage(call, envelope.refusal, message.kind === 'request' ? message.id : null)
  }
  if (message.kind === 'notification') return takeNotification(call, envelope.era, message, services.sessions)
  return serveRequest({ ...call, bodyBytes: body.bytes.length }, envelope, message, services)
}

async function serveRequest(
  call: McpRequest,
  envelope: Envelope,
  message: Incoming,
  services: McpServices,
): Promise<void> {
  const { config } = services
  const session = findSession(call, envelope.era, services.sessions)
  if (session === 'unknown') return refuseMessage(call, sessionUnknown, message.id)
  const { accept } = call.head
  const mayStream = accept === undefined || accept.includes('text/event-stream') || accept.includes('*/*')
  const limits = { keepAliveMs: config.sseKeepAliveMs, maxBacklogBytes: config.maxStreamBacklogBytes }
  const reply = new Reply(call.response, mayStream, limits)
  if (envelope.era === 'modern' && message.method === 'subscriptions/listen') {
    return services.subscriptions.listen({ ...call, message, reply, mayStream })
  }
  if (envelope.era === 'legacy' && message.method === 'initialize') {
    return openSession({ ...call, message, reply }, services)
  }
  const methods = envelope.era === 'modern' ? modernMethods : legacyMethods
  const method = Object.hasOwn(methods, message.method) ? methods[message.method] : undefined
  if (method === undefined) {
    const status = envelope.era === 'modern' ? 404 : 200
    const refusal = { status, code: -32601, message: 'There is no such method.', data: null }
    return sendRpcError(call.response, message.id, refusal)
  }
  if (envelope.era === 'modern' && message.method === 'tools/call') {
    const mismatch = findParameterMismatch(call, message, services)
    if (mismatch !== null) return refuseMessage(call, mismatch, message.id)
  }
  return runMethod(call, envelope, message, session, reply, method, services)
}

/** Only for a tool that the caller can see: for others the pipeline answers, as if there were none. */
function findParameterMismatch(call: McpRequest, message: Incoming, services: McpServices): ProtocolRefusal | null {
  const { name, arguments: given } = message.params
  if (typeof name !== 'string') return null
  const schema = services.catalogue.resolve(call.namespace, 'tool', name)?.inputSchema ?? null
  const mismatch = schema === null ? null : services.checkParameterHeaders(call.head, schema, given)
  if (mismatch === null) return null
  const visible = services.gateway.list(call.caller, call.namespace, 'tool')
  return visible.some((tool) => tool.name === name) ? mismatch : null
}

async function runMethod(
  call: McpRequest,
  envelope: Envelope,
  message: Incoming,
  session: Session | null,
  reply: Reply,
  method: Method,
  services: McpServices,
): Promise<void> {
  const aborter = new AbortController()
  const abortUnlessDone = (): void => {
    if (!reply.isDone) aborter.abort()
  }
  call.response.once('close', abortUnlessDone)
  // The client may have left while its body was read.
  if (call.response.closed) abortUnlessDone()
  const exchange = createExchange(call, envelope, message, session, reply, aborter.signal)
  const run = async (
    params: JsonObject,
    round: Pick<Exchange, 'inputResponses' | 'requestState'>,
  ): Promise<JsonObject> => {
    try {
      return await method(params, { ...exchange, ...round }, services)
    } catch (error) {
      throw toRpcError(error, message.method, services)
    }
  }
  const { serverInfo } = services
  if (envelope.era === 'modern' && message.method === 'tools/call' && !services.everythingThroughSdk) {
    return serveCall({ id: message.id, params: message.params, reply, serverInfo, run })
  }
  const inputTimeoutMs = services.config.inputTimeoutSeconds * 1000
  const stop = await serveWithSdk({ message, era: envelope.era, reply, session, serverInfo, inputTimeoutMs, run })
  if (session !== null) {
    session.running.set(message.id, () => {
      aborter.abort()
      stop()
    })
    call.response.once('close', () => session.running.delete(message.id))
  }
  // A client that leaves takes its server object with it, so that nothing waits for an answer that cannot come.
  call.response.once('close', stop)
}

function toRpcError(error: unknown, method: string, services: McpServices): RpcError {
  if (error instanceof RpcError) return error
  if (error instanceof McpworksError && error.code !== 'internal') {
    const row = errorTable[error.code]
    const data = error.data === undefined ? {} : { data: error.data as JsonObject }
    return new RpcError(row.rpc, error.message, { status: row.status, ...data })
  }
  const incident = services.incident(method, error)
  const message = `${errorTable.internal.message} Incident ${incident}.`
  return new RpcError(errorTable.internal.rpc, message, { status: 500, data: { incident } })
}
