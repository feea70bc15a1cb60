import { randomBytes } from 'node:crypto'
import { ProtocolError, Server, type JSONRPCMessage, type TransportSendOptions } from '@modelcontextprotocol/server'
import { isJsonObject, type JsonObject } from '../../kernel/index.ts'
import { setClientCapabilities, VersionBoundTransport } from '../sdk-workarounds.ts'
import { RpcError, type Exchange } from './exchange.ts'
import { legacyVersions, modernVersion } from './protocol-version.ts'
import type { Message } from './read-message.ts'
import type { Reply } from './reply.ts'
import { serverCapabilities, type ServerInfo } from './server-facts.ts'
import type { Session } from './sessions.ts'

type Request = Extract<Message, { kind: 'request' }>

/** One request for the SDK. */
export interface SdkRequest {
  readonly message: Request
  readonly era: 'modern' | 'legacy'
  readonly reply: Reply
  readonly session: Session | null
  readonly serverInfo: ServerInfo
  readonly inputTimeoutMs: number
  /** Runs the method. Whatever it throws is an `RpcError`. */
  readonly run: (params: JsonObject, round: Pick<Exchange, 'inputResponses' | 'requestState'>) => Promise<JsonObject>
}

/** Parameters are checked by the methods themselves, in our words. */
const anyParams = {
  '~standard': { version: 1, vendor: 'mcpworks', validate: (value: unknown) => ({ value: value as JsonObject }) },
} as const

/** The SDK would make a schema compiler for every server; nothing here validates through it. */
const noValidator = {
  getValidator: (): never => {
    throw new Error('schemas are not validated here')
  },
}

/** The reply as a transport of the SDK: one request in, notifications, requests to the client and one answer out. */
class ReplyTransport extends VersionBoundTransport {
  private readonly reply: Reply
  private readonly session: Session | null
  private readonly sentIds: string[] = []
  private over = false

  constructor(request: SdkRequest) {
    super({ classification: request.era === 'modern' ? { era: 'modern', revision: modernVersion } : { era: 'legacy' } })
    this.reply = request.reply
    this.session = request.session
  }

  override async start(): Promise<void> {}

  override async send(message: JSONRPCMessage, _options?: TransportSendOptions): Promise<void> {
    if (this.over) return
    if (!('method' in message)) {
      this.reply.finish(message)
      await this.close()
    } else if ('id' in message) {
      this.ask(message)
    } else {
      this.reply.send(message, message.method === 'notifications/cancelled')
    }
  }

  override async close(): Promise<void> {
    if (this.over) return
    this.over = true
    for (const id of this.sentIds) this.session?.waiting.delete(id)
    this.onclose?.()
  }

  /**
   * Sends a request to the client under an id of ours: every server object counts from 0, and answers to several of
   * them come back through one session.
   */
  private ask(message: Extract<JSONRPCMessage, { method: string; id: unknown }>): void {
    const { session } = this
    const id = randomBytes(16).toString('base64url')
    if (session === null || !this.reply.send({ ...message, id }, true)) {
      throw new Error('the client cannot be asked: it has no session or takes no event stream')
    }
    this.sentIds.push(id)
    session.waiting.set(id, (answer) => this.onmessage?.({ ...answer, id: message.id } as unknown as JSONRPCMessage))
  }
}

/**
 * Serves one request on an SDK server and transport made for it alone, so that nothing of two callers can meet
 * (CVE-2026-25536). The SDK checks that the method belongs to the revision, shapes the result for it, and for 2025-era
 * clients turns `input_required` into requests to the client and calls `run` again with the answers.
 * Returns what stops the request without an answer.
 */
export async function serveWithSdk(request: SdkRequest): Promise<() => void> {
  const { message, era, reply, session } = request
  const server = new Server(
    { ...request.serverInfo },
    {
      capabilities: serverCapabilities(era),
      supportedProtocolVersions: era === 'modern' ? [modernVersion] : [...legacyVersions],
      jsonSchemaValidator: noValidator,
      inputRequired: { roundTimeoutMs: request.inputTimeoutMs },
    },
  )
  if (session !== null) setClientCapabilities(server, session.clientCapabilities)
  server.setRequestHandler(message.method, { params: anyParams }, async (_params, context) => {
    const state = context.mcpReq.requestState()
    try {
      const result = await request.run(message.params, {
        inputResponses: toJsonObject(context.mcpReq.inputResponses),
        requestState: typeof state === 'string' ? state : null,
      })
      return message.method === 'tools/call' ? server.projectCallToolResult(result as never, undefined) : result
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
      reply.setStatus(error.status)
      reply.setHeaders(error.headers)
      throw new ProtocolError(error.code, error.message, error.data)
    }
  })
  const transport = new ReplyTransport(request)
  await server.connect(transport)
  const { id, method, params } = message
  const extra = era === 'modern' ? { classification: { era, revision: modernVersion } } : {}
  transport.onmessage?.({ jsonrpc: '2.0', id, method, params }, extra)
  return () => {
    void transport.close()
    reply.end()
  }
}

function toJsonObject(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null
}
