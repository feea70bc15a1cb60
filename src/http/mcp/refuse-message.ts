import type { ServerResponse } from 'node:http'
import { errorTable, type ErrorCode, type JsonObject } from '../../kernel/index.ts'
import { sendJson } from '../respond.ts'
import type { McpRequest } from './mcp-request.ts'
import type { RequestId } from './read-message.ts'

/** A refusal in protocol terms: HTTP status and JSON-RPC error. */
export interface ProtocolRefusal {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly data: JsonObject | null
}

/** Answers with a JSON-RPC error. `id` is `null` where the request's could not be read. */
export function sendRpcError(response: ServerResponse, id: RequestId | null, refusal: ProtocolRefusal): void {
  const { status, code, message, data } = refusal
  sendJson(response, status, { jsonrpc: '2.0', id, error: { code, message, ...(data === null ? {} : { data }) } })
}

/** Refuses a body before it is a message, and tells the door. */
export function refuseBody(call: McpRequest, code: ErrorCode, id: RequestId | null, reason: string): void {
  const row = errorTable[code]
  call.refused(code, reason)
  const message =
    code === 'invalid_json' || code === 'invalid_request' ? `${row.message} ${sentence(reason)}` : row.message
  sendRpcError(call.response, id, { status: row.status, code: row.rpc, message, data: null })
}

/** Refuses a message by a rule of the protocol, and tells the door. */
export function refuseMessage(call: McpRequest, refusal: ProtocolRefusal, id: RequestId | null): void {
  call.refused('invalid_request', refusal.message)
  sendRpcError(call.response, id, refusal)
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`
}
