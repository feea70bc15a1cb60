import type { JsonObject } from '../../src/kernel/index.ts'
import { sendRaw, type RawAnswer } from './http-harness.ts'

/** How a request of 2026-07-28 may differ from a right one. */
export interface ModernOptions {
  readonly id?: string | number
  readonly credential?: string
  readonly namespace?: string
  readonly capabilities?: JsonObject
  /** Members of `_meta` beside the required ones, or instead of them. */
  readonly meta?: JsonObject
  /** Headers instead of the right ones; `null` leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>
}

/** The `_meta` that 2026-07-28 requires. */
export function modernMeta(capabilities: JsonObject = {}): JsonObject {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
}

/** Headers and body of a request of 2026-07-28. */
export function modernRequest(
  method: string,
  params: JsonObject = {},
  options: ModernOptions = {},
): { path: string; headers: string[]; body: string } {
  const name = params.name ?? params.uri
  const headers: Record<string, string | null> = {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    Authorization: `Bearer ${options.credential ?? 'alice-secret'}`,
    'MCP-Protocol-Version': '2026-07-28',
    'Mcp-Method': method,
    'Mcp-Name': typeof name === 'string' ? name : null,
    ...options.headers,
  }
  const _meta = { ...modernMeta(options.capabilities), ...options.meta }
  return {
    path: `/mcp/${options.namespace ?? 'demo'}`,
    headers: Object.entries(headers).flatMap(([key, value]) => (value === null ? [] : [key, value])),
    body: JSON.stringify({ jsonrpc: '2.0', id: options.id ?? 1, method, params: { ...params, _meta } }),
  }
}

/** Sends a request of 2026-07-28. */
export function callModern(
  port: number,
  method: string,
  params?: JsonObject,
  options?: ModernOptions,
): Promise<RawAnswer> {
  return sendRaw(port, { method: 'POST', ...modernRequest(method, params, options) })
}

/** How a request of 2025-11-25 may differ from a right one. */
export interface LegacyOptions {
  readonly credential?: string
  readonly namespace?: string
  readonly session?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends any JSON as a client of 2025-11-25 would. */
export function postLegacy(port: number, message: unknown, options: LegacyOptions = {}): Promise<RawAnswer> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    Authorization: `Bearer ${options.credential ?? 'alice-secret'}`,
    ...(options.session === undefined
      ? {}
      : { 'Mcp-Session-Id': options.session, 'MCP-Protocol-Version': '2025-11-25' }),
    ...options.headers,
  }
  const body = typeof message === 'string' ? message : JSON.stringify(message)
  return sendRaw(port, {
    method: 'POST',
    path: `/mcp/${options.namespace ?? 'demo'}`,
    headers: Object.entries(headers).flat(),
    body,
  })
}

/** Opens a session of 2025-11-25 and gives its id. */
export async function openLegacySession(
  port: number,
  capabilities: JsonObject = {},
  options: LegacyOptions = {},
): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'test', version: '1' } }
  const answer = await postLegacy(port, { jsonrpc: '2.0', id: 0, method: 'initialize', params }, options)
  const session = answer.headers['mcp-session-id']
  if (answer.status !== 200 || typeof session !== 'string')
    throw new Error(`initialize was answered ${answer.status}: ${answer.text}`)
  return session
}

/** Messages of an event stream's text. */
export function messagesOf(stream: string): JsonObject[] {
  return stream
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as JsonObject)
}
