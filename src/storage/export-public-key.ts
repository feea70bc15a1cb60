import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { verifierKey } from '../audit/index.ts'
import { McpworksError } from '../kernel/index.ts'
import { syncDirectory, writeNewFile } from './data-directory.ts'

/**
 * Puts the public half of a log's signing key where auditors find it, unless it is there.
 * @throws McpworksError `storage_unavailable` where the key of another log is there; the file system's errors
 */
export function exportPublicKey(path: string, identity: { logId: string; publicKey: Uint8Array }): void {
  const name = `mcpworks/${identity.logId}`
  if (!existsSync(path)) {
    writeNewFile(path, `${verifierKey({ name, publicKey: identity.publicKey })}\n`, 0o644)
    syncDirectory(dirname(path))
  } else if (!readFileSync(path, 'utf8').startsWith(`${name}+`)) {
    throw new McpworksError('storage_unavailable', {
      message: 'audit.pub in the data directory is of another decision log. Keep it with that log, and take it away.',
    })
  }
}
