import { PerRequestHTTPServerTransport, type Server } from '@modelcontextprotocol/server'
import type { JsonObject } from '../kernel/index.ts'

// What @modelcontextprotocol/server 2.4.0 does not offer and we need. Nothing else in this folder reaches past its
// documented interface. Two parts of it are replaced whole and can go when they are exported:
// - `mcp/check-envelope.ts`: the header rules (`validateStandardRequestHeaders`) are only applied inside
//   `createMcpHandler`.
// - `mcp/subscriptions.ts`: `createListenRouter` is not exported, and its bus knows no caller, so it would tell
//   everyone of changes that only some may see.

/**
 * Base of our transport. `Server.connect` binds an instance to revision 2026-07-28 only for transports of this class
 * (there is no other public way), while its own way of answering builds a web `Response` and a `ReadableStream` for
 * each request, which node:http would have to take apart again. We keep the class and replace what it does.
 * Can go when a `Transport` may state the revision it serves.
 */
export const VersionBoundTransport = PerRequestHTTPServerTransport

/**
 * Tells a server made for one request what its 2025-era client declared at `initialize`. The SDK's bridge from
 * `input_required` to elicitation and sampling requests looks there, and only a handshake on the same instance sets
 * it; ours was on another one. Can go when `ServerOptions` or `connect` take client capabilities.
 */
export function setClientCapabilities(server: Server, capabilities: JsonObject): void {
  ;(server as unknown as { _clientCapabilities: unknown })._clientCapabilities = capabilities
}
