import { createHmac } from 'node:crypto'
import { canonicalJson } from '../kernel/index.ts'
import type { WantedCall } from './approval.ts'

/**
 * What an approval is bound to: the namespace, the caller with everybody who acts for it, the door, the tool in exactly
 * this version, and the arguments (RFC 8785, so that the order of members is nothing). Not the credential: a token that
 * was refreshed is the same caller. HMAC-SHA-256, because arguments can be guessed, and whoever reads the database must
 * not be able to test guesses.
 * @throws McpworksError `invalid_json` for arguments without an RFC 8785 form
 */
export function callBinding(
  key: Uint8Array,
  call: Omit<WantedCall, 'rules' | 'reasons' | 'call' | 'inputSchema'>,
): string {
  const { namespace, requester, door, tool, service, definitionHash, codeHash } = call
  const text = canonicalJson([
    'mcpworks approval 1',
    namespace,
    requester.type,
    requester.id,
    requester.actors,
    door,
    service,
    tool,
    definitionHash,
    codeHash,
    call.arguments,
  ])
  return createHmac('sha256', key).update(text).digest('hex')
}
