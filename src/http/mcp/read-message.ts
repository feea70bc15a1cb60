import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/index.ts'

/** Id of a JSON-RPC request. */
export type RequestId = string | number

/** One JSON-RPC 2.0 message. */
export type Message =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  | {
      readonly kind: 'response'
      readonly id: RequestId
      readonly result: JsonObject | null
      readonly error: JsonObject | null
    }
  /** `id` is that of the request where it could be read. */
  | { readonly kind: 'invalid'; readonly id: RequestId | null; readonly message: string }

const maxIdLength = 256
const maxMethodLength = 128

/**
 * Reads a JSON-RPC 2.0 message as MCP narrows it: no batches, ids are strings or integers and never null, params are
 * an object. Does not look at what the method is. A request without params gets an empty object.
 */
export function readMessage(body: JsonValue): Message {
  if (Array.isArray(body)) return invalid(null, 'Batches are not taken: send one message in one request.')
  if (!isJsonObject(body)) return invalid(null, 'The body is not a JSON-RPC message.')
  const id = isRequestId(body.id) ? body.id : null
  if (body.jsonrpc !== '2.0') return invalid(id, 'jsonrpc must be "2.0".')
  if (body.id !== undefined && id === null) return invalid(null, 'id must be a string or an integer.')
  if (body.method === undefined) return readResponse(body, id)
  if (typeof body.method !== 'string' || body.method.length === 0 || body.method.length > maxMethodLength) {
    return invalid(id, 'method must be a string.')
  }
  if (body.params !== undefined && !isJsonObject(body.params)) return invalid(id, 'params must be an object.')
  const params = body.params ?? {}
  if (params._meta !== undefined && !isJsonObject(params._meta)) return invalid(id, 'params._meta must be an object.')
  if (id === null) return { kind: 'notification', method: body.method, params }
  return { kind: 'request', id, method: body.method, params }
}

function readResponse(body: JsonObject, id: RequestId | null): Message {
  if (id === null) return invalid(null, 'The body is neither a request nor a response.')
  if (isJsonObject(body.result) && body.error === undefined)
    return { kind: 'response', id, result: body.result, error: null }
  if (isJsonObject(body.error) && body.result === undefined) {
    const { code, message } = body.error
    if (Number.isSafeInteger(code) && typeof message === 'string')
      return { kind: 'response', id, result: null, error: body.error }
  }
  return invalid(id, 'The body is neither a request nor a response.')
}

function isRequestId(value: JsonValue | undefined): value is RequestId {
  return typeof value === 'string' ? value.length <= maxIdLength : Number.isSafeInteger(value)
}

function invalid(id: RequestId | null, message: string): Message {
  return { kind: 'invalid', id, message }
}
