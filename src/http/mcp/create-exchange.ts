import type { InvocationEvents } from '../../gateway/index.ts'
import { isJsonObject, type Caller, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import type { EnvelopeResult } from './check-envelope.ts'
import type { Exchange } from './exchange.ts'
import { isLoggable } from './log-level.ts'
import type { McpRequest } from './mcp-request.ts'
import { metaKeys } from './protocol-version.ts'
import type { Message } from './read-message.ts'
import type { Reply } from './reply.ts'
import type { Session } from './sessions.ts'

/** W3C Trace Context, section 3.2. Anything else would be a text of the caller's in records, which keep it for long. */
const traceForm = /^([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})(?:$|-)/
const maxClaimedNameLength = 100

/** Puts together what a method needs to know of its request. Notifications go out only while `signal` is not aborted. */
export function createExchange(
  call: McpRequest,
  envelope: Exclude<EnvelopeResult, { era: 'none' }>,
  message: Extract<Message, { kind: 'request' }>,
  session: Session | null,
  reply: Reply,
  signal: AbortSignal,
): Exchange {
  const meta = isJsonObject(message.params._meta) ? message.params._meta : {}
  const { traceparent } = meta
  return {
    caller: withClaimedName(call.caller, envelope.era === 'modern' ? meta[metaKeys.clientInfo] : session?.clientInfo),
    namespace: call.namespace,
    era: envelope.era,
    session,
    inputResponses: null,
    requestState: null,
    facts: {
      method: message.method,
      protocolVersion: envelope.protocolVersion ?? session?.protocolVersion ?? null,
      requestId: String(message.id),
      ...(call.bodyBytes === undefined ? {} : { bodyBytes: call.bodyBytes }),
      trace: typeof traceparent === 'string' ? (traceForm.exec(traceparent)?.[1] ?? null) : null,
      clientCapabilities: envelope.era === 'modern' ? envelope.clientCapabilities : (session?.clientCapabilities ?? {}),
    },
    events: createEvents(
      meta,
      envelope.era === 'modern' ? envelope.logLevel : (session?.logLevel ?? 'info'),
      reply,
      signal,
    ),
  }
}

function createEvents(
  meta: JsonObject,
  logThreshold: string | null,
  reply: Reply,
  signal: AbortSignal,
): InvocationEvents {
  const { progressToken } = meta
  const notify = (method: string, params: object): void => {
    if (!signal.aborted) reply.send({ jsonrpc: '2.0', method, params }, false)
  }
  return {
    signal,
    log: (level, data, logger) => {
      if (!isLoggable(level, logThreshold)) return
      notify('notifications/message', { level, data, ...(logger === undefined ? {} : { logger }) })
    },
    progress: (progress, total, message) => {
      if (typeof progressToken !== 'string' && typeof progressToken !== 'number') return
      const more = { ...(total === null ? {} : { total }), ...(message === null ? {} : { message }) }
      notify('notifications/progress', { progressToken, progress, ...more })
    },
  }
}

/** What the client calls itself in the protocol tells more than its User-Agent. It is a claim all the same. */
function withClaimedName(caller: Caller, clientInfo: JsonValue | undefined): Caller {
  if (!isJsonObject(clientInfo) || typeof clientInfo.name !== 'string') return caller
  const version = typeof clientInfo.version === 'string' ? ` ${clientInfo.version}` : ''
  return {
    ...caller,
    client: { ...caller.client, claimedName: `${clientInfo.name}${version}`.slice(0, maxClaimedNameLength) },
  }
}
