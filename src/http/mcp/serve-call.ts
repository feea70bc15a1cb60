import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'
import { RpcError, type Exchange } from './exchange.ts'
import { metaKeys } from './protocol-version.ts'
import type { RequestId } from './read-message.ts'
import type { Reply } from './reply.ts'
import type { ServerInfo } from './server-facts.ts'

/** One `tools/call` of 2026-07-28. */
export interface CallRequest {
  readonly id: RequestId
  readonly params: JsonObject
  readonly reply: Reply
  readonly serverInfo: ServerInfo
  /** Runs the call. Whatever it throws is an `RpcError`. */
  readonly run: (params: JsonObject, round: Pick<Exchange, 'inputResponses' | 'requestState'>) => Promise<JsonObject>
}

/**
 * Serves `tools/call` of 2026-07-28 without a server object of the SDK, which costs more than everything else that the
 * HTTP layer does for a call. Says the same as `serveWithSdk` to the same request: the conformance suite runs over both.
 */
export async function serveCall({ id, params, reply, serverInfo, run }: CallRequest): Promise<void> {
  try {
    const result = await run(params, readRound(params))
    reply.finish({ jsonrpc: '2.0', id, result: encode(result, serverInfo) })
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    reply.setStatus(error.status)
    reply.setHeaders(error.headers)
    const { code, message, data } = error
    reply.finish({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } })
  }
}

function readRound({ inputResponses, requestState }: JsonObject): Pick<Exchange, 'inputResponses' | 'requestState'> {
  if (requestState !== undefined && typeof requestState !== 'string') {
    throw new RpcError(-32602, 'params.requestState must be a string.')
  }
  if (inputResponses !== undefined && !isJsonObject(inputResponses)) {
    throw new RpcError(-32602, 'params.inputResponses must be an object.')
  }
  const responses =
    inputResponses === undefined ? null : Object.entries(inputResponses).filter(([, answer]) => isJsonObject(answer))
  return {
    inputResponses: responses === null ? null : Object.fromEntries(responses),
    requestState: requestState ?? null,
  }
}

/** @throws RpcError -32603 for a result that is not one of a tool */
function encode(result: JsonObject, serverInfo: ServerInfo): JsonObject {
  const meta = isJsonObject(result._meta) ? result._meta : {}
  const _meta = { ...meta, [metaKeys.serverInfo]: { ...serverInfo } }
  if (result.resultType === 'input_required') return { ...result, _meta }
  const { structuredContent } = result
  const content = result.content ?? []
  if (!Array.isArray(content) || !content.every(isBlock)) {
    throw new RpcError(-32603, 'The tool returned something that is not a tool result.')
  }
  // Clients that read only content must not miss a structured result that is not an object (SEP-2106).
  const bare = structuredContent !== undefined && !isJsonObject(structuredContent) && content.length === 0
  const shown = bare ? [{ type: 'text', text: JSON.stringify(structuredContent) }] : content
  return { ...result, content: shown, resultType: 'complete', _meta }
}

function isBlock(block: JsonValue): boolean {
  return isJsonObject(block) && typeof block.type === 'string'
}
