import { isJsonObject, type JsonObject } from '../kernel/index.ts'
import { send } from './api-client.ts'
import { CliError } from './cli-error.ts'
import type { Connection } from './connection.ts'
import { exitCode } from './exit-code.ts'

const protocolVersion = '2026-07-28'

/**
 * One MCP 2026-07-28 request. Answers the `result`; reads a JSON answer or the last message of an event stream.
 * @throws CliError with the server's sentence for a JSON-RPC or HTTP error.
 */
export async function mcpRequest(
  connection: Connection,
  namespace: string,
  method: string,
  params: JsonObject,
): Promise<JsonObject> {
  const name = typeof params.name === 'string' ? { 'mcp-name': params.name } : {}
  const response = await send(connection, `/mcp/${encodeURIComponent(namespace)}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': protocolVersion,
      'mcp-method': method,
      ...name,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': protocolVersion,
          'io.modelcontextprotocol/clientInfo': { name: 'mcpworks-cli', version: '0.1.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    }),
  })
  const message = parseMessage(await response.text(), response.headers.get('content-type') ?? '')
  if (isJsonObject(message?.result)) return message.result
  const error = isJsonObject(message?.error) ? message.error : {}
  const text = typeof error.message === 'string' ? error.message : `The server answered ${response.status}.`
  const hint =
    response.status === 404 && error.code === 'not_found'
      ? `Either there is no namespace ${namespace}, or the key is of an agent in another one`
      : null
  throw new CliError(exitCode.failed, text, hint, { status: response.status, ...error })
}

function parseMessage(body: string, contentType: string): JsonObject | null {
  const documents = contentType.startsWith('text/event-stream')
    ? body
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => line.slice('data: '.length))
    : [body]
  for (const document of documents.toReversed()) {
    const message = parse(document)
    if (message !== null && ('result' in message || 'error' in message)) return message
  }
  return null
}

function parse(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : null
  } catch {
    return null
  }
}
