import type { IncomingMessage, ServerResponse } from 'node:http'
import { errorTable, type ErrorCode } from '../kernel/index.ts'

/** What an error answer may add to the table's row. Shown to callers. */
export interface ErrorAnswer {
  readonly message?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly members?: Readonly<Record<string, unknown>>
}

/** Sends JSON, never to be cached or sniffed. Does nothing where an answer was begun already. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const text = Buffer.from(JSON.stringify(value))
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'X-Accel-Buffering': 'no',
    ...(headers as Record<string, string | string[]>),
  })
  response.end(text)
}

/** Sends bytes under a type and a caching rule of their own, never to be sniffed. Does nothing where an answer was begun already. */
export function sendBytes(
  response: ServerResponse,
  bytes: Uint8Array,
  headers: Readonly<Record<'Content-Type' | 'Cache-Control' | 'Vary', string>>,
): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(200, {
    ...headers,
    'Content-Length': bytes.length,
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(bytes)
}

/** Sends the table's error as `{error: {code, message, ...}}`. */
export function sendError(response: ServerResponse, code: ErrorCode, answer: ErrorAnswer = {}): void {
  const row = errorTable[code]
  const error = { code, message: answer.message ?? row.message, ...answer.members }
  sendJson(response, row.status, { error }, answer.headers)
}

/**
 * Lets go of a request whose body will not be read: node would otherwise keep reading it to the end.
 * The client is told to open a new connection, and the socket goes once the answer is out.
 */
export function abandonBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || hasNoBody(request)) return
  response.setHeader('Connection', 'close')
  response.once('finish', () => {
    // Half-close first, so that the answer is not lost to a reset while the client is still sending.
    request.socket.end()
    const linger = setTimeout(() => request.socket.destroy(), 500)
    linger.unref()
    request.socket.once('close', () => clearTimeout(linger))
    request.resume()
  })
}

function hasNoBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] === undefined && (request.headers['content-length'] ?? '0') === '0'
}
