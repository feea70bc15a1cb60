import type { ServerResponse } from 'node:http'
import { errorTable, isJsonObject, McpworksError, type ErrorCode, type JsonObject } from '../../kernel/index.ts'
import { isJsonContent } from '../content-type.ts'
import { parseJson } from '../parse-json.ts'
import { readBody } from '../read-body.ts'
import { abandonBody, sendJson } from '../respond.ts'
import { checkEnvelope, type EnvelopeResult, type ProtocolRefusal } from './check-envelope.ts'
import { RpcError, type Exchange } from './exchange.ts'
import { openSession } from './initialize.ts'
import type { McpRequest } from './mcp-request.ts'
import type { McpServices } from './mcp-services.ts'
import { isLoggable, legacyMethods, modernMethods } from './methods.ts'
import { readMessage, type Message, type RequestId } from './read-message.ts'
import { Reply } from './reply.ts'
import { serveWithSdk } from './serve-with-sdk.ts'
import type { Session } from './sessions.ts'

type Incoming = Extract<Message, { kind: 'request' }>

/** Serves one POST to `/mcp/{namespace}`: body, JSON, JSON-RPC, revision, method, in this order. Answers exactly once. */
export async function serveMcp(call: McpRequest, services: McpServices): Promise<void> {
  const { head, request, response } = call
  if (!isJsonContent(head)) {
    abandonBody(request, response)
    return refuse(call, 'unsupported_media_type', null, 'content type')
  }
  const body = await readBody(request, services.config.maxBodyBytes)
  if (!body.ok) {
    if (body.reason === 'aborted') return
    abandonBody(request, response)
    return refuse(call, 'body_too_large', null, 'body size')
  }
  const parsed = parseJson(body.bytes, services.config.maxJsonDepth)
  if (!parsed.ok) return refuse(call, 'invalid_json', null, parsed.message)
  const message = readMessage(parsed.value)
  if (message.kind === 'invalid') return refuse(call, 'invalid_request', message.id, message.message)
  if (message.kind === 'response') return takeResponse(call, message, services)
  const envelope = checkEnvelope(head, message)
  if (envelope.era === 'none')
    return refuseProtocol(call, envelope.refusal, message.kind === 'request' ? message.id : null)
  if (message.kind === 'notification') return takeNotification(call, envelope, message, services)
  return serveRequest(call, envelope, message, services)
}

async function serveRequest(
  call: McpRequest,
  envelope: EnvelopeResult,
  message: Incoming,
  services: McpServices,
): Promise<void> {
  if (envelope.era === 'none') return
  const { config } = services
  const session = findSession(call, envelope, services)
  if (session === 'unknown') return refuseProtocol(call, sessionUnknown, message.id)
  const mayStream = call.head.accept === undefined || /text\/event-stream|\*\/\*/.test(call.head.accept)
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
    return sendRpcError(call.response, message.id, {
      status,
      code: -32601,
      message: 'There is no such method.',
      data: null,
    })
  }
  const aborter = new AbortController()
  call.response.once('close', () => aborter.abort())
  const exchange = createExchange(call, envelope, message, session, reply, aborter.signal)
  const stop = await serveWithSdk({
    message,
    era: envelope.era,
    reply,
    session,
    serverInfo: services.serverInfo,
    inputTimeoutMs: config.inputTimeoutSeconds * 1000,
    run: async (params, round) => {
      try {
        return await method(params, { ...exchange, ...round }, services)
      } catch (error) {
        throw toRpcError(error, message.method, services)
      }
    },
  })
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

function createExchange(
  call: McpRequest,
  envelope: Exclude<EnvelopeResult, { era: 'none' }>,
  message: Incoming,
  session: Session | null,
  reply: Reply,
  signal: AbortSignal,
): Exchange {
  const modern = envelope.era === 'modern'
  const meta = isJsonObject(message.params._meta) ? message.params._meta : {}
  const progressToken = meta.progressToken
  const notify = (method: string, params: JsonObject): void => {
    if (!signal.aborted) reply.send({ jsonrpc: '2.0', method, params }, false)
  }
  return {
    caller: call.caller,
    namespace: call.namespace,
    era: envelope.era,
    session,
    inputResponses: null,
    requestState: null,
    facts: {
      method: message.method,
      protocolVersion: envelope.protocolVersion ?? session?.protocolVersion ?? null,
      requestId: String(message.id),
      trace: typeof meta.traceparent === 'string' ? meta.traceparent.slice(0, 128) : null,
      clientCapabilities: modern ? envelope.clientCapabilities : (session?.clientCapabilities ?? {}),
    },
    events: {
      signal,
      log: (level, data, logger) => {
        const threshold = modern ? envelope.logLevel : (session?.logLevel ?? 'info')
        if (!isLoggable(level, threshold)) return
        notify('notifications/message', {
          level,
          data: data as JsonObject,
          ...(logger === undefined ? {} : { logger }),
        })
      },
      progress: (progress, total, text) => {
        if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return
        notify('notifications/progress', {
          progressToken,
          progress,
          ...(total === null ? {} : { total }),
          ...(text === null ? {} : { message: text }),
        })
      },
    },
    setStatus: (status) => reply.setStatus(status),
    setHeader: (name, value) => reply.setHeader(name, value),
  }
}

const sessionUnknown: ProtocolRefusal = {
  status: 404,
  code: -32600,
  message: 'There is no such session. Send initialize to start one.',
  data: null,
}

/** The new era knows no sessions and ignores the header. */
function findSession(
  call: McpRequest,
  envelope: EnvelopeResult,
  { sessions }: McpServices,
): Session | 'unknown' | null {
  const id = call.head.sessionId
  if (envelope.era !== 'legacy' || id === undefined) return null
  return sessions.find(id, call.caller, call.namespace) ?? 'unknown'
}

function takeResponse(
  call: McpRequest,
  message: Extract<Message, { kind: 'response' }>,
  { sessions }: McpServices,
): void {
  const id = call.head.sessionId
  const session = id === undefined ? null : sessions.find(id, call.caller, call.namespace)
  if (session === null) return refuseProtocol(call, sessionUnknown, null)
  const deliver = session.waiting.get(message.id)
  if (deliver === undefined)
    return refuse(call, 'invalid_request', null, 'No request of that id is waiting for an answer.')
  session.waiting.delete(message.id)
  deliver({ jsonrpc: '2.0', ...(message.result === null ? { error: message.error } : { result: message.result }) })
  accept(call)
}

function takeNotification(
  call: McpRequest,
  envelope: EnvelopeResult,
  message: Extract<Message, { kind: 'notification' }>,
  services: McpServices,
): void {
  const session = findSession(call, envelope, services)
  if (session === 'unknown') return refuseProtocol(call, sessionUnknown, null)
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

function toRpcError(error: unknown, method: string, services: McpServices): RpcError {
  if (error instanceof RpcError) return error
  if (error instanceof McpworksError && error.code !== 'internal') {
    const row = errorTable[error.code]
    return new RpcError(row.rpc, error.message, {
      status: row.status,
      ...(error.data === undefined ? {} : { data: error.data as JsonObject }),
    })
  }
  const incident = services.incident(method, error)
  return new RpcError(errorTable.internal.rpc, `${errorTable.internal.message} Incident ${incident}.`, {
    status: 500,
    data: { incident },
  })
}

function refuse(call: McpRequest, code: ErrorCode, id: RequestId | null, reason: string): void {
  const row = errorTable[code]
  call.refused(code, reason)
  const message =
    code === 'invalid_json' || code === 'invalid_request' ? `${row.message} ${sentence(reason)}` : row.message
  sendRpcError(call.response, id, { status: row.status, code: row.rpc, message, data: null })
}

function refuseProtocol(call: McpRequest, refusal: ProtocolRefusal, id: RequestId | null): void {
  call.refused('invalid_request', refusal.message)
  sendRpcError(call.response, id, refusal)
}

function sendRpcError(response: ServerResponse, id: RequestId | null, refusal: ProtocolRefusal): void {
  const { status, code, message, data } = refusal
  sendJson(response, status, { jsonrpc: '2.0', id, error: { code, message, ...(data === null ? {} : { data }) } })
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}
