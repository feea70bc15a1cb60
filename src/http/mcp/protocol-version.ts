/** The stateless revision, without `initialize` and sessions. */
export const modernVersion = '2026-07-28'

/** Revisions with the `initialize` handshake that are served, newest first. */
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18']

/** Every revision served. */
export const supportedVersions: readonly string[] = [modernVersion, ...legacyVersions]

/** Whether a version is of the stateless kind: dated 2026-07-28 or later, known or not. */
export function isModernVersion(version: string): boolean {
  return version >= modernVersion && /^\d{4}-\d{2}-\d{2}$/.test(version)
}

/** Reserved `_meta` members of a request (MCP 2026-07-28, basic/index "Per-request metadata"). */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
} as const
