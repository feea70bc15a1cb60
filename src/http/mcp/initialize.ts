import { isJsonObject } from '../../kernel/index.ts'
import type { McpRequest } from './mcp-request.ts'
import type { McpServices } from './mcp-services.ts'
import { legacyVersions } from './protocol-version.ts'
import type { Message } from './read-message.ts'
import type { Reply } from './reply.ts'
import { serverCapabilities } from './server-facts.ts'

/** What a client tells of itself is kept as long as its session, so it must not be large. */
const maxClientCharacters = 16 * 1024

/**
 * Answers `initialize` of 2025-11-25 and 2025-06-18 and opens a session, whose id goes out as `Mcp-Session-Id`
 * (transports "Session management"). A version that is not served is answered with the newest that is.
 */
export function openSession(
  call: McpRequest & { readonly message: Extract<Message, { kind: 'request' }>; readonly reply: Reply },
  services: McpServices,
): void {
  const { caller, namespace, message, reply } = call
  const { protocolVersion, capabilities, clientInfo } = message.params
  if (typeof protocolVersion !== 'string' || !isJsonObject(capabilities) || !isJsonObject(clientInfo)) {
    const error = { code: -32602, message: 'initialize needs protocolVersion, capabilities and clientInfo.' }
    return reply.finish({ jsonrpc: '2.0', id: message.id, error })
  }
  if (JSON.stringify([capabilities, clientInfo]).length > maxClientCharacters) {
    const error = {
      code: -32602,
      message: `capabilities and clientInfo may have ${maxClientCharacters} characters together.`,
    }
    return reply.finish({ jsonrpc: '2.0', id: message.id, error })
  }
  const version = legacyVersions.includes(protocolVersion) ? protocolVersion : (legacyVersions[0] as string)
  const client = { protocolVersion: version, clientCapabilities: capabilities, clientInfo }
  const session = services.sessions.open(caller, namespace, client)
  reply.setHeader('Mcp-Session-Id', session.id)
  const result = {
    protocolVersion: version,
    capabilities: serverCapabilities('legacy'),
    serverInfo: services.serverInfo,
  }
  reply.finish({ jsonrpc: '2.0', id: message.id, result })
}
